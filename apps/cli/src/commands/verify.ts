import type { Policy, VerificationResult } from '@touchmark/verify'
import { hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exitCodeOf } from '../exit-codes.js'
import { errorJson, errorText, printable, printJson, rows } from '../output.js'
import { predicateTypeUri } from '../statement.js'
import { trustedRootFile, trustInstance, type InstanceOptions } from '../trust-store.js'
import { identityPolicy, isDigest, verifyFile, type IdentityOptions } from '../verify-artifact.js'

export interface VerifyOptions extends InstanceOptions, IdentityOptions {
  readonly trustedRoot?: string
  readonly bundle?: string
}

/** `touchmark verify FILE…`: every file must verify; each failure is said, and the first one decides the exit code. */
export async function verifyCommand(
  context: CliContext,
  files: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  await verifyAll(context, files, options, { identities: [identityPolicy(options)] }, '.sigstore.json')
}

/** `touchmark verify-attestation FILE…`. */
export async function verifyAttestationCommand(
  context: CliContext,
  files: readonly string[],
  options: VerifyOptions & { type?: string },
): Promise<void> {
  const types = options.type === undefined ? {} : { predicateTypes: [predicateTypeUri(options.type)] }
  await verifyAll(
    context,
    files,
    options,
    { identities: [identityPolicy(options)], content: 'attestation', ...types },
    '.att.sigstore.json',
  )
}

async function verifyAll(
  context: CliContext,
  files: readonly string[],
  options: VerifyOptions,
  policy: Policy,
  suffix: string,
): Promise<void> {
  if (options.bundle !== undefined && files.length > 1) throw new CliError('CLI_USAGE', '--bundle goes with one file')
  if (options.bundle === undefined && files.some(isDigest))
    throw new CliError('CLI_USAGE', 'a digest says nothing about where its bundle is: pass --bundle FILE')
  const trust =
    options.trustedRoot === undefined
      ? (await trustInstance(context, options)).config.trustedRoot
      : await trustedRootFile(options.trustedRoot, options.rootFingerprint)
  const outcomes: Outcome[] = []
  for (const file of files) {
    try {
      outcomes.push({ file, result: await verifyFile(file, options.bundle ?? `${file}${suffix}`, trust, policy) })
    } catch (error) {
      if (!isCodedError(error)) throw error
      outcomes.push({ file, error })
    }
  }
  const failed = outcomes.find((outcome) => outcome.error !== undefined)
  if (context.json) printJson(context, { verified: failed === undefined, files: outcomes.map(outcomeJson) })
  // Standard output says "verified" only when everything is.
  else outcomes.forEach((outcome) => (failed === undefined ? context.out : context.err)(outcomeText(outcome)))
  if (failed !== undefined) process.exitCode = exitCodeOf(failed.error)
}

interface Outcome {
  readonly file: string
  readonly result?: VerificationResult
  readonly error?: unknown
}

function outcomeJson({ file, result, error }: Outcome): Record<string, unknown> {
  return result === undefined
    ? { file, verified: false, error: errorJson(error) }
    : { file, verified: true, ...resultJson(result) }
}

function resultJson(result: VerificationResult): Record<string, unknown> {
  const { signer, artifact, content, times, logEntries, checks } = result
  return {
    signer:
      signer.kind === 'certificate'
        ? { identity: signer.subject.value, issuer: signer.issuer, extensions: signer.extensions }
        : { key: hexEncode(signer.publicKey.spki) },
    digest: `${artifact.algorithm}:${hexEncode(artifact.digest)}`,
    content: content.kind === 'attestation' ? { predicateType: content.statement.predicateType } : 'message',
    times,
    logEntries,
    checks,
  }
}

function outcomeText({ file, result, error }: Outcome): string {
  if (result === undefined) return `NOT verified: ${printable(file)}\n${errorText(error)}`
  const { signer, content, times, logEntries, checks } = result
  const pairs: [string, string][] = []
  if (signer.kind === 'certificate') pairs.push(['signed by', signer.subject.value], ['vouched for by', signer.issuer])
  else pairs.push(['signed with', 'the key given'])
  for (const { time, authority } of times) pairs.push(['at', `${time.toISOString()} (${authority})`])
  for (const { log, logIndex } of logEntries) pairs.push(['log entry', `${logIndex} of ${log}`])
  if (content.kind === 'attestation') pairs.push(['says', content.statement.predicateType])
  pairs.push(['checks', `${checks.length} passed (--json lists them)`])
  return `verified ${printable(file)}\n${rows(pairs)}`
}
