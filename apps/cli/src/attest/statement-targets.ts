import { parseStatement, type Bundle } from '@touchmark/bundle'
import type { Clock } from '@touchmark/clock'
import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { CliError } from '../errors.js'
import { placeOfBundle, type Target, type TargetOptions } from '../signing/targets.js'
import { buildStatement, PREDICATE_TYPES, type Subject } from '../statement.js'
import { isDigest } from '../verifying/artifact.js'
import { readStatement } from './given-statement.js'
import { STATEMENT_LIMIT_BYTES } from './limits.js'
import { readPredicate, type Predicate, type PredicateOptions } from './predicate.js'
import { checkNames, distinctNames, readSubjects } from './subjects.js'

export interface StatementOptions extends PredicateOptions, TargetOptions {
  /** A file that holds a whole statement. */
  readonly statement?: string
  /** Name of the one subject. */
  readonly name?: string
}

/** A target whose statement is known. */
export interface StatementTarget extends Target {
  /** The bytes that are signed. Many statements may carry one large predicate, so each is put together when its turn comes. */
  payload(): Uint8Array
}

export const ATTESTATION_SUFFIX = '.att.sigstore.json'

/**
 * Everything about a statement that can be refused before somebody logs in: names, files, predicate, schema, place of the bundle. Each file gets a statement
 * and a bundle of its own; with --bundle there is one statement about all of them. Throws CLI_USAGE, CLI_FILE_*, CLI_PREDICATE_INVALID, CLI_STATEMENT_INVALID.
 */
export async function planStatements(
  named: readonly string[],
  options: StatementOptions,
  clock: Clock,
): Promise<StatementTarget[]> {
  if (options.statement !== undefined) return [await planGiven(options.statement, named, options)]
  if (named.length === 0) throw new CliError('CLI_USAGE', 'name the files that the statement is about')
  checkNames(named, options.name)
  if (options.bundle === undefined) refuseDigests(named)
  const predicate = await readPredicate(options, clock)
  const subjects = await readSubjects(named, options.name)
  if (options.bundle !== undefined)
    return [await target(named.join(', '), options.bundle, distinctNames(subjects), predicate, options)]
  const targets: StatementTarget[] = []
  for (const subject of subjects)
    targets.push(await target(subject.named, `${subject.named}${ATTESTATION_SUFFIX}`, [subject], predicate, options))
  return targets
}

async function planGiven(
  statement: string,
  named: readonly string[],
  options: StatementOptions,
): Promise<StatementTarget> {
  for (const flag of ['predicate', 'sbom', 'type', 'name'] as const)
    if (options[flag] !== undefined) throw new CliError('CLI_USAGE', `--statement says it all: leave --${flag} out`)
  checkNames(
    named.filter((one) => !isDigest(one)),
    undefined,
  )
  if (options.bundle === undefined) {
    refuseDigests(named)
    if (named.length !== 1)
      throw new CliError('CLI_USAGE', 'one statement makes one bundle: say where it goes with --bundle FILE')
  }
  const { payload, artifact } = await readStatement(statement, named, options.schema !== false)
  const place = await placeOfBundle(options.bundle ?? `${named[0]!}${ATTESTATION_SUFFIX}`, options)
  return finish(named.length === 0 ? statement : named.join(', '), place, () => payload, artifact)
}

function refuseDigests(named: readonly string[]): void {
  if (named.some(isDigest))
    throw new CliError('CLI_USAGE', 'a digest says nothing about where its bundle goes: pass --bundle FILE')
}

async function target(
  file: string,
  bundle: string,
  subjects: readonly Subject[],
  predicate: Predicate,
  options: StatementOptions,
): Promise<StatementTarget> {
  const payload = (): Uint8Array => buildStatement(subjects, predicate.type, predicate.bytes)
  return finish(file, await placeOfBundle(bundle, options), payload, subjects[0]!)
}

function finish(
  file: string,
  place: Pick<Target, 'bundle' | 'replace' | 'resume'>,
  payload: () => Uint8Array,
  { algorithm, digest }: Subject,
): StatementTarget {
  const sizeBytes = payload().length
  if (sizeBytes > STATEMENT_LIMIT_BYTES)
    throw new CliError('CLI_PREDICATE_INVALID', `the statement about ${file} is too large for a bundle`, {
      expected: `at most ${STATEMENT_LIMIT_BYTES} bytes`,
      found: `${sizeBytes} bytes`,
    })
  const wants = (bundle: Bundle): boolean =>
    bundle.content.kind === 'dsse' && sameStatement(bundle.content.envelope.payload, payload())
  return { file, sizeBytes, ...place, artifact: { algorithm, digest }, payload, wants }
}

/** The same bytes; of type `custom`, whose predicate says when it was made, the same but for that. */
export function sameStatement(one: Uint8Array, other: Uint8Array): boolean {
  if (equalBytes(one, other)) return true
  const [a, b] = [timelessOf(one), timelessOf(other)]
  return a !== undefined && a === b
}

function timelessOf(payload: Uint8Array): string | undefined {
  try {
    const { type, predicateType, subjects, predicate } = parseStatement(payload)
    if (predicateType !== PREDICATE_TYPES['custom']) return undefined
    if (typeof predicate !== 'object' || predicate === null || !('Data' in predicate)) return undefined
    const about = subjects.map(({ name, digest }) => [name, [...digest].map(([hash, bytes]) => [hash, [...bytes]])])
    return JSON.stringify([type, about, predicate['Data']])
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}
