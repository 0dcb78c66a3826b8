import { encodeBundle, parseBundle, type Bundle } from '@touchmark/bundle'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import {
  obtainIdentity,
  signBlob,
  signStatement,
  type Identity,
  type SignContext,
  type SignStep,
} from '@touchmark/sign'
import { verifyBundle } from '@touchmark/verify'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exitCodeOf } from '../exit-codes.js'
import { exists, fileExists, readInput, sizeOf, writeWhole } from '../files.js'
import { errorJson, printable, printError, printJson, Progress, rows } from '../output.js'
import { issuerUrl, signContext } from '../services.js'
import { buildStatement, predicateTypeUri, readPredicate } from '../statement.js'
import { findToken, type FoundToken } from '../tokens.js'
import { trustCurrentInstance, type InstanceOptions, type TrustedInstance } from '../trust-store.js'
import { holderOf, verifyOwnBundle } from '../verify-artifact.js'

export interface SignOptions extends InstanceOptions {
  readonly identityToken?: string
  readonly device?: boolean
  /** Where the bundle goes; only with one file. */
  readonly bundle?: string
  readonly overwrite?: boolean
  /** Leave the files alone whose bundle is there and good. */
  readonly resume?: boolean
}

export interface AttestOptions extends SignOptions {
  /** A file that holds the predicate. */
  readonly predicate: string
  readonly type: string
}

/** Files signed at once: enough to hide the round trips, few enough not to crowd a service. */
const PARALLEL = 8
/** Bytes of artifacts that may be in memory at once. */
const MEMORY_BYTES = 512 << 20

interface Target {
  readonly file: string
  readonly bundle: string
  readonly sizeBytes: number
  /** A bundle is there already, and stays if it is good. */
  readonly resume: boolean
  readonly replace: boolean
}

/** What became of one file. */
interface Signed {
  readonly file: string
  readonly bundle: string
  readonly logIndex: bigint
  readonly ms: number
  /** The bundle was there, and good. */
  readonly kept: boolean
}

/** Signs the bytes of a file; nothing is written yet. */
type Make = (file: string, artifact: Uint8Array, identity: Identity, services: SignContext) => Promise<Bundle>

/** `touchmark sign FILE…`: one login, one key, one certificate, a bundle for each file. */
export async function signCommand(context: CliContext, files: readonly string[], options: SignOptions): Promise<void> {
  await run(
    context,
    await planTargets(files, options, '.sigstore.json'),
    options,
    (_file, artifact, identity, services) => signBlob(artifact, identity, services),
  )
}

/** `touchmark attest FILE… --predicate P --type T`: the same for in-toto statements about the files. */
export async function attestCommand(
  context: CliContext,
  files: readonly string[],
  options: AttestOptions,
): Promise<void> {
  const targets = await planTargets(files, options, '.att.sigstore.json')
  predicateTypeUri(options.type)
  const predicate = await readPredicate(options.predicate)
  await run(context, targets, options, (file, artifact, identity, services) =>
    signStatement(
      buildStatement(file, artifact, options.type, predicate),
      'application/vnd.in-toto+json',
      identity,
      services,
    ),
  )
}

async function run(context: CliContext, targets: readonly Target[], options: SignOptions, make: Make): Promise<void> {
  const instance = await trustCurrentInstance(context, options)
  const token = await findToken(context, issuerUrl(context, instance), options)
  const progress = new Progress(context)
  const steps: Partial<Record<SignStep, number>> = {}
  const services = signContext(context, instance, (step, ms) => {
    steps[step] = Math.max(steps[step] ?? 0, Math.round(ms))
  })
  progress.show('asking for a certificate …')
  try {
    const identity = await obtainIdentity(
      token.token,
      () => generateSigner({ kind: 'ecdsa', curve: 'P-256' }),
      services,
    )
    let done = 0
    const { results, failure } = await inParallel(targets, parallelFor(targets), async (target) => {
      const result = await signOne(target, make, identity, services, instance)
      progress.show(`signed ${++done} of ${targets.length}`)
      return result
    })
    progress.clear()
    report(context, {
      identity,
      token,
      instance,
      signed: results,
      steps,
      ...(failure === undefined ? {} : { failure }),
    })
  } finally {
    progress.clear()
  }
}

async function signOne(
  { file, bundle: path, resume, replace }: Target,
  make: Make,
  identity: Identity,
  services: SignContext,
  instance: TrustedInstance,
): Promise<Signed> {
  const started = services.elapsed()
  const since = (): number => Math.round(services.elapsed() - started)
  const artifact = await readInput(file)
  const trust = instance.config.trustedRoot
  if (resume) {
    const kept = await goodBundle(path, artifact, identity, instance)
    if (kept !== undefined) return { file, bundle: path, logIndex: indexOf(kept), ms: since(), kept: true }
  }
  const bundle = await make(file, artifact, identity, services)
  const text = encodeBundle(bundle)
  // What is written is what was verified: the text, parsed again, against the trusted root and not against what the services said.
  verifyOwnBundle(text, artifact, identity.certificate, trust)
  await writeWhole(path, `${text}\n`, { replace })
  return { file, bundle: path, logIndex: indexOf(bundle), ms: since(), kept: false }
}

/** The bundle that an earlier run left, when it verifies and is by the same person; else it is made anew. */
async function goodBundle(
  path: string,
  artifact: Uint8Array,
  identity: Identity,
  instance: TrustedInstance,
): Promise<Bundle | undefined> {
  try {
    const bundle = parseBundle(await readInput(path))
    const policy = { identities: [holderOf(identity.certificate)] }
    verifyBundle({
      bundle,
      artifact: { bytes: artifact },
      trust: instance.config.trustedRoot,
      policy,
      crypto: nodeCrypto,
    })
    return bundle
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}

function indexOf(bundle: Bundle): bigint {
  return bundle.tlogEntries[0]!.logIndex
}

/** Everything that can be refused before somebody logs in. */
async function planTargets(files: readonly string[], options: SignOptions, suffix: string): Promise<Target[]> {
  if (options.bundle !== undefined && files.length > 1)
    throw new CliError('CLI_USAGE', '--bundle goes with one file; without it each file gets its own bundle')
  if (options.overwrite === true && options.resume === true)
    throw new CliError('CLI_USAGE', '--overwrite makes every bundle anew, --resume keeps the good ones: choose one')
  const twice = files.find((file, at) => files.indexOf(file) !== at)
  if (twice !== undefined) throw new CliError('CLI_USAGE', `${twice} is named twice`)
  const targets: Target[] = []
  for (const file of files) {
    const bundle = options.bundle ?? `${file}${suffix}`
    const sizeBytes = await sizeOf(file)
    const there = await exists(bundle)
    const replace = options.overwrite === true || (there && options.resume === true)
    if (there && !replace) throw fileExists(bundle)
    targets.push({ file, bundle, sizeBytes, replace, resume: there && options.resume === true })
  }
  return targets
}

/** So many files at once that the largest of them together fit the memory set aside. */
function parallelFor(targets: readonly Target[]): number {
  const largest = Math.max(1, ...targets.map(({ sizeBytes }) => sizeBytes))
  return Math.min(PARALLEL, Math.max(1, Math.floor(MEMORY_BYTES / largest)))
}

/** Works on several items at once. After the first failure nothing new is begun, and what was begun is waited for: nothing goes on behind a report. */
async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<{ results: R[]; failure: { item: T; error: unknown } | undefined }> {
  const results = new Map<number, R>()
  const failures: { item: T; error: unknown }[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const at = next++
      const item = items[at]!
      try {
        results.set(at, await work(item))
      } catch (error) {
        failures.push({ item, error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  const inOrder = [...results].sort(([a], [b]) => a - b).map(([, result]) => result)
  return { results: inOrder, failure: failures[0] }
}

interface Report {
  identity: Identity
  token: FoundToken
  instance: TrustedInstance
  signed: readonly Signed[]
  steps: Partial<Record<SignStep, number>>
  failure?: { item: Target; error: unknown }
}

function report(context: CliContext, made: Report): void {
  const { failure, signed, instance } = made
  const signer = {
    identity: holderOf(made.identity.certificate).subject.exact,
    issuer: made.token.claims.issuer,
    tokenSource: made.token.source,
  }
  if (failure !== undefined) process.exitCode = exitCodeOf(failure.error)
  if (context.json) {
    const error = failure === undefined ? {} : { error: { file: failure.item.file, ...errorJson(failure.error) } }
    return printJson(context, { instance: instance.url, ...signer, steps: made.steps, signed, ...error })
  }
  if (failure !== undefined) {
    printError(context, failure.error)
    const left =
      signed.length === 0
        ? 'No bundle was written.'
        : `Bundles of ${signed.length} files are there already; --resume goes on with the rest.`
    return context.err(`${printable(failure.item.file)} was not signed. ${left}\n`)
  }
  for (const { file, bundle, logIndex, ms, kept } of signed) {
    context.out(
      `${kept ? 'signed before:' : 'signed'} ${printable(file)}\n${rows([
        ['bundle', bundle],
        ['log entry', `${logIndex} of ${instance.url}`],
        ['took', `${ms} ms`],
      ])}`,
    )
  }
  context.out(
    rows(
      [
        ['as', signer.identity],
        ['vouched for by', signer.issuer],
      ],
      '',
    ),
  )
}
