import { encodeBundle, parseBundle, type Bundle } from '@touchmark/bundle'
import { isCodedError } from '@touchmark/errors'
import type { SignContext, SigningIdentity, SignStep } from '@touchmark/sign'
import type { Artifact } from '@touchmark/verify'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { readInput, writeWhole } from '../files.js'
import { interrupts } from '../interrupt.js'
import { Progress } from '../output.js'
import { issuerUrl, signContext } from '../services.js'
import { findToken, type FoundToken, type TokenOptions } from '../tokens.js'
import { trustCurrentInstance, type InstanceOptions, type TrustedInstance } from '../trust-store.js'
import { keyIdentity, KeylessIdentity, type IdentitySource, type KeyOptions } from './identity-source.js'
import { inParallel, parallelFor } from './in-parallel.js'
import { verifyBySigner, verifyOwnBundle, type OwnTrust } from './own-bundle.js'
import { report, type Signed } from './report.js'
import type { Target, TargetOptions } from './targets.js'

export interface SignOptions extends InstanceOptions, TokenOptions, TargetOptions, KeyOptions {}

/** Signs a target; nothing is written yet. */
export type Make = (
  target: Target,
  artifact: Artifact,
  identity: SigningIdentity,
  services: SignContext,
) => Promise<Bundle>

/** What all files of one run have in common. */
interface Run {
  readonly make: Make
  readonly source: IdentitySource
  readonly services: SignContext
  readonly trust: OwnTrust
}

/** One login and one certificate, or a key; a bundle for each target, each verified before it is written. */
export async function runSigning(
  context: CliContext,
  targets: readonly Target[],
  options: SignOptions,
  make: Make,
): Promise<void> {
  if (options.key === undefined && options.passwordFile !== undefined)
    throw new CliError('CLI_USAGE', '--password-file goes with --key')
  // Before anybody is asked: a wrong password shall cost nothing.
  const key = options.key === undefined ? undefined : await keyIdentity(context, options.key, options)
  const instance = await trustCurrentInstance(context, options)
  const token = key === undefined ? await tokenFor(context, instance, options) : undefined
  const steps: Partial<Record<SignStep, number>> = {}
  const onStep = (step: SignStep, ms: number): void => void (steps[step] = Math.max(steps[step] ?? 0, Math.round(ms)))
  const services = signContext(context, instance, {
    onStep,
    timestamps: key === undefined ? 'needed' : 'where there are',
  })
  const source = key ?? new KeylessIdentity(context, services, token!, () => tokenFor(context, instance, options))
  const progress = new Progress(context)
  let done = 0
  const stopHandling = interrupts.handle(() => {
    progress.clear()
    context.err(`Interrupted: ${done} of ${targets.length} files are signed; --resume goes on with the rest.\n`)
  })
  try {
    if (token !== undefined) progress.show('asking for a certificate …')
    const identity = await source.current()
    const run: Run = {
      make,
      source,
      services,
      trust: { root: instance.config.trustedRoot, services: services.services },
    }
    const { results, failure } = await inParallel(targets, parallelFor(targets), async (target) => {
      const result = await signOne(target, run)
      progress.show(`signed ${++done} of ${targets.length}`)
      return result
    })
    progress.clear()
    const who = token === undefined ? { keyFile: options.key! } : { token }
    report(context, {
      identity,
      ...who,
      instance,
      signed: results,
      steps,
      ...(failure === undefined ? {} : { failure }),
    })
  } finally {
    stopHandling()
    progress.clear()
  }
}

function tokenFor(context: CliContext, instance: TrustedInstance, options: TokenOptions): Promise<FoundToken> {
  return findToken(context, issuerUrl(context, instance), options)
}

async function signOne(target: Target, run: Run): Promise<Signed> {
  const { file, bundle: path, resume, replace } = target
  const { services, trust } = run
  const started = services.elapsed()
  const since = (): number => Math.round(services.elapsed() - started)
  const [artifact, identity] = await Promise.all([artifactOf(target), run.source.current()])
  if (resume) {
    const kept = await goodBundle(target, artifact, identity, trust)
    if (kept !== undefined) return { file, bundle: path, logIndex: indexOf(kept), ms: since(), kept: true }
  }
  const bundle = await run.make(target, artifact, identity, services)
  const text = encodeBundle(bundle)
  // What is written is what was verified: the text, parsed again, against the trusted root and not against what the services said.
  verifyOwnBundle(text, artifact, identity, trust)
  await writeWhole(path, `${text}\n`, { replace })
  return { file, bundle: path, logIndex: indexOf(bundle), ms: since(), kept: false }
}

async function artifactOf({ file, artifact }: Target): Promise<Artifact> {
  return artifact ?? { bytes: await readInput(file) }
}

/** The bundle that an earlier run left, when it verifies and is by the same signer; else it is made anew. */
async function goodBundle(
  { bundle: path, wants }: Target,
  artifact: Artifact,
  identity: SigningIdentity,
  trust: OwnTrust,
): Promise<Bundle | undefined> {
  try {
    const bundle = parseBundle(await readInput(path))
    verifyBySigner(bundle, artifact, identity, trust)
    return wants === undefined || wants(bundle) ? bundle : undefined
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}

function indexOf(bundle: Bundle): bigint {
  return bundle.tlogEntries[0]!.logIndex
}
