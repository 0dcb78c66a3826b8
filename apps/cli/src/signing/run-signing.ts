import { encodeBundle, parseBundle, type Bundle } from '@touchmark/bundle'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import { obtainIdentity, type Identity, type SignContext, type SignStep } from '@touchmark/sign'
import { verifyBundle } from '@touchmark/verify'
import type { CliContext } from '../context.js'
import { readInput, writeWhole } from '../files.js'
import { Progress } from '../output.js'
import { issuerUrl, signContext } from '../services.js'
import { findToken, type TokenOptions } from '../tokens.js'
import { trustCurrentInstance, type InstanceOptions, type TrustedInstance } from '../trust-store.js'
import { holderOf, verifyOwnBundle } from '../verify-artifact.js'
import { inParallel, parallelFor } from './in-parallel.js'
import { report, type Signed } from './report.js'
import type { Target, TargetOptions } from './targets.js'

export interface SignOptions extends InstanceOptions, TokenOptions, TargetOptions {}

/** Signs the bytes of a file; nothing is written yet. */
export type Make = (file: string, artifact: Uint8Array, identity: Identity, services: SignContext) => Promise<Bundle>

/** One login, one key, one certificate; a bundle for each target, each verified before it is written. */
export async function runSigning(
  context: CliContext,
  targets: readonly Target[],
  options: SignOptions,
  make: Make,
): Promise<void> {
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
