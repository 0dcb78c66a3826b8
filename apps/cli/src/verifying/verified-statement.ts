import type { Statement } from '@touchmark/bundle'
import type { VerificationResult } from '@touchmark/verify'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { judge, type Judgement } from './judge.js'
import { readDemand, type Demand, type DemandOptions } from './demand.js'
import { predicateBytes } from './predicate-bytes.js'
import { findSubjects } from './subjects.js'

/** A statement whose signature, signer and subject have been verified. */
export interface VerifiedStatement {
  /** The bundle that it is from. */
  readonly bundle: string
  readonly statement: Statement
  /** Exactly the bytes that were signed. */
  readonly payload: Uint8Array
  /** Exactly the bytes of the predicate in them; absent when the statement has none. */
  readonly predicate?: Uint8Array
  readonly result: VerificationResult
}

export interface VerifiedStatementOptions extends DemandOptions {
  /** The bundle, instead of those beside the file. */
  readonly bundle?: string
  /** Predicate type URIs of which one is wanted, beside `type`. */
  readonly predicateTypes?: readonly string[]
}

/**
 * The statements about one artifact that hold and are what was asked for; at least one. `named`: a file, or a digest with `bundle`.
 * Throws the refusal of the bundle that came closest.
 */
export async function verifiedStatements(
  context: CliContext,
  named: string,
  options: VerifiedStatementOptions,
): Promise<readonly [VerifiedStatement, ...VerifiedStatement[]]> {
  const { subjects } = await findSubjects([named], 'attestation', options)
  const [subject, ...others] = subjects
  if (subject === undefined || others.length > 0) throw new CliError('CLI_USAGE', `${named} is not one file`)
  const asked = await readDemand(context, 'attestation', options)
  const { predicateTypes } = options
  const demand: Demand = predicateTypes === undefined ? asked : { ...asked, predicateTypes }
  return statementsOf(await judge(subject, demand))
}

/** The same where one is enough: the first in the order of the bundles' names. */
export async function verifiedStatement(
  context: CliContext,
  named: string,
  options: VerifiedStatementOptions,
): Promise<VerifiedStatement> {
  return (await verifiedStatements(context, named, options))[0]
}

/** The statements of attestations that hold. */
export function statementsOf({
  proofs: [first, ...others],
}: Judgement): readonly [VerifiedStatement, ...VerifiedStatement[]] {
  return [statementOf(first), ...others.map(statementOf)]
}

function statementOf({ bundle, result }: Judgement['proofs'][number]): VerifiedStatement {
  const { content } = result
  // The rule asked for an attestation, so the verifier has refused everything else.
  if (content.kind !== 'attestation') throw new TypeError('a proof of an attestation without a statement')
  const predicate = predicateBytes(content.payload)
  const { statement, payload } = content
  return { bundle, statement, payload, ...(predicate === undefined ? {} : { predicate }), result }
}
