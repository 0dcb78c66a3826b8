import { encodeBundle, type Bundle } from '@touchmark/bundle'
import { generateSigner } from '@touchmark/crypto/node'
import {
  obtainIdentity,
  signBlob,
  signStatement,
  type Identity,
  type SignContext,
  type SignStep,
} from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exists, readInput, writeWhole } from '../files.js'
import { printJson, Progress, rows } from '../output.js'
import { issuerUrl, signContext } from '../services.js'
import { parseCertificate } from '../signer-text.js'
import { buildStatement, type StatementOptions } from '../statement.js'
import { findToken, type FoundToken } from '../tokens.js'
import { trustCurrentInstance, type InstanceOptions, type TrustedInstance } from '../trust-store.js'
import { verifyOwnBundle } from '../verify-artifact.js'

export interface SignOptions extends InstanceOptions {
  readonly identityToken?: string
  readonly device?: boolean
  /** Where the bundle goes; only with one file. */
  readonly bundle?: string
  readonly overwrite?: boolean
}

/** Files signed at once: enough to hide the round trips, few enough not to crowd a service. */
const PARALLEL = 8

/** What one signing made. */
interface Signed {
  readonly file: string
  readonly bundle: string
  readonly logIndex: bigint
  readonly ms: number
}

/** `touchmark sign FILE…`: one login, one key, one certificate, a bundle for each file. */
export async function signCommand(context: CliContext, files: readonly string[], options: SignOptions): Promise<void> {
  await run(context, files, options, '.sigstore.json', async (file, identity, services) => {
    const artifact = await readInput(file)
    return { artifact, bundle: await signBlob(artifact, identity, services) }
  })
}

/** `touchmark attest FILE… --predicate P --type T`: the same for in-toto statements about the files. */
export async function attestCommand(
  context: CliContext,
  files: readonly string[],
  options: SignOptions & StatementOptions,
): Promise<void> {
  await run(context, files, options, '.att.sigstore.json', async (file, identity, services) => {
    const artifact = await readInput(file)
    const statement = await buildStatement(file, artifact, options)
    return { artifact, bundle: await signStatement(statement, 'application/vnd.in-toto+json', identity, services) }
  })
}

type Make = (
  file: string,
  identity: Identity,
  services: SignContext,
) => Promise<{ artifact: Uint8Array; bundle: Bundle }>

async function run(
  context: CliContext,
  files: readonly string[],
  options: SignOptions,
  suffix: string,
  make: Make,
): Promise<void> {
  const targets = await planTargets(files, options, suffix)
  const instance = await trustCurrentInstance(context, options)
  const token = await findToken(context, issuerUrl(context, instance), options)
  const progress = new Progress(context)
  const steps: Partial<Record<SignStep, number>> = {}
  const services = signContext(context, instance, (step, ms) => {
    steps[step] = Math.max(steps[step] ?? 0, ms)
  })
  progress.show('asking for a certificate …')
  const signed: Signed[] = []
  try {
    const identity = await obtainIdentity(token.token, generateSigner({ kind: 'ecdsa', curve: 'P-256' }), services)
    await inParallel(targets, async ({ file, bundle }) => {
      const started = services.elapsed()
      signed.push({
        ...(await signOne(file, bundle, make, identity, services, instance)),
        ms: services.elapsed() - started,
      })
      progress.show(`signed ${signed.length} of ${targets.length}`)
    })
    progress.clear()
    report(context, { identity, token, instance, signed: inOrder(signed, files), steps })
  } finally {
    progress.clear()
  }
}

async function signOne(
  file: string,
  target: string,
  make: Make,
  identity: Identity,
  services: SignContext,
  instance: TrustedInstance,
): Promise<Omit<Signed, 'ms'>> {
  const { artifact, bundle } = await make(file, identity, services)
  const text = encodeBundle(bundle)
  // What is written is what was verified: the text, parsed again, against the trusted root and not against what the services said.
  verifyOwnBundle(text, artifact, identity.certificate, instance.config.trustedRoot)
  await writeWhole(target, `${text}\n`)
  return { file, bundle: target, logIndex: bundle.tlogEntries[0]!.logIndex }
}

async function planTargets(
  files: readonly string[],
  options: SignOptions,
  suffix: string,
): Promise<{ file: string; bundle: string }[]> {
  if (options.bundle !== undefined && files.length > 1)
    throw new CliError('CLI_USAGE', '--bundle goes with one file; without it each file gets its own bundle')
  const targets = files.map((file) => ({ file, bundle: options.bundle ?? `${file}${suffix}` }))
  for (const { file, bundle } of targets) {
    if (!(await exists(file)))
      throw new CliError('CLI_FILE_UNREADABLE', `${file} cannot be read`, { found: 'there is no such file' })
    if (options.overwrite !== true && (await exists(bundle))) {
      throw new CliError('CLI_FILE_EXISTS', `${bundle} is there already`, {
        hint: 'Pass --overwrite to replace it, or --bundle FILE to write elsewhere.',
      })
    }
  }
  return targets
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker))
}

function inOrder(signed: readonly Signed[], files: readonly string[]): Signed[] {
  return [...signed].sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file))
}

function report(
  context: CliContext,
  made: {
    identity: Identity
    token: FoundToken
    instance: TrustedInstance
    signed: Signed[]
    steps: Partial<Record<SignStep, number>>
  },
): void {
  const certificate = parseCertificate(made.identity.certificate)
  const signer = {
    identity: certificate.san[0]?.value ?? '',
    issuer: made.token.claims.issuer,
    tokenSource: made.token.source,
  }
  if (context.json)
    return printJson(context, { instance: made.instance.url, ...signer, steps: made.steps, signed: made.signed })
  for (const { file, bundle, logIndex, ms } of made.signed) {
    context.out(
      `signed ${file}\n${rows([
        ['bundle', bundle],
        ['log entry', `${logIndex} of ${made.instance.url}`],
        ['took', `${Math.round(ms)} ms`],
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
