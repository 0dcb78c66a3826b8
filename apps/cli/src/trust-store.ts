import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { nodeCrypto } from '@touchmark/crypto/node'
import { utf8Decode } from '@touchmark/encoding'
import { CodedError, isCodedError } from '@touchmark/errors'
import { excerpt, send, serviceUrl, type HttpOptions } from '@touchmark/sign'
import {
  encodeClientTrustConfig,
  parseClientTrustConfig,
  parseTrustedRoot,
  trustedRootFingerprint,
  type ClientTrustConfig,
  type TrustedRoot,
} from '@touchmark/trust'
import type { CliContext } from './context.js'
import { CliError } from './errors.js'
import { exists, readInput, writePrivate } from './files.js'
import { printable } from './output.js'

const DOCUMENT_LIMIT_BYTES = 4 << 20
/** How long a signing waits to hear whether the root is still the one that is stored: it can go on without. */
const ASKED_ALONG_MS = 5_000

/** An instance whose root is trusted here. */
export interface TrustedInstance {
  readonly url: string
  readonly config: ClientTrustConfig
  readonly fingerprint: string
}

export interface InstanceOptions {
  /** `--instance`. */
  readonly instance?: string
  /** `--root-fingerprint`: what the root of a first use must have. */
  readonly rootFingerprint?: string
}

/** The root's fingerprint as people compare it: SHA-256 in groups. */
export function fingerprintText(fingerprint: string): string {
  return `sha256:${fingerprint}`
}

/** `--instance`, `TOUCHMARK_INSTANCE`, or what `touchmark trust use` chose. Throws CLI_NO_INSTANCE. */
export async function instanceUrl(context: CliContext, options: InstanceOptions): Promise<string> {
  const named = options.instance ?? (context.environment['TOUCHMARK_INSTANCE'] || (await chosenInstance(context)))
  if (named === undefined) {
    throw new CliError('CLI_NO_INSTANCE', 'no Touchmark instance is chosen', {
      hint: 'Run `touchmark trust use URL` once, or pass --instance URL, or set TOUCHMARK_INSTANCE.',
    })
  }
  const url = URL.canParse(named) ? new URL(named) : undefined
  // Other spellings of a URL would be other instances, each with a first use of its own.
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    `${url.username}${url.password}${url.search}${url.hash}` !== ''
  )
    throw new CliError('CLI_USAGE', `the instance must be a plain http or https URL, not ${named.slice(0, 100)}`)
  return url.href.replace(/\/+$/, '')
}

/** The stored trust of an instance; at first use the root is fetched, its fingerprint is said aloud, and it is kept. */
export async function trustInstance(context: CliContext, options: InstanceOptions): Promise<TrustedInstance> {
  const url = await instanceUrl(context, options)
  const stored = await storedInstance(context, url)
  if (stored === undefined) return firstUse(context, url, options)
  checkPin(context, options, stored)
  return stored
}

/** The same, and asks the instance whether its root is still the trusted one; without an answer the stored one is used. */
export async function trustCurrentInstance(context: CliContext, options: InstanceOptions): Promise<TrustedInstance> {
  const url = await instanceUrl(context, options)
  const stored = await storedInstance(context, url)
  if (stored === undefined) return trustInstance(context, options)
  checkPin(context, options, stored)
  const patience = { tries: 1, timeoutMs: Math.min(context.http.timeoutMs, ASKED_ALONG_MS) }
  const served = await fetchInstance(context, url, patience).catch((error: unknown) => {
    if (isCodedError(error)) return undefined
    throw error
  })
  if (served === undefined) return stored
  refuseChange(stored, served)
  // The services may move while the root stays: the newest signing config is used.
  return { ...stored, config: { ...stored.config, signingConfig: served.config.signingConfig } }
}

/** Fetches an instance's root, refuses one that differs from what is stored, stores it and makes it the chosen one. */
export async function useInstance(
  context: CliContext,
  url: string,
  options: { replace?: string; rootFingerprint?: string },
): Promise<{ instance: TrustedInstance; was: 'new' | 'same' | 'replaced' }> {
  const served = await fetchInstance(context, url)
  checkPin(context, options, served)
  const stored = await storedInstance(context, url)
  if (stored !== undefined && stripPrefix(options.replace) !== served.fingerprint) refuseChange(stored, served)
  await storeInstance(context, served)
  await writePrivate(join(context.home, 'instance'), `${url}\n`)
  const same = stored?.fingerprint === served.fingerprint
  return { instance: served, was: stored === undefined ? 'new' : same ? 'same' : 'replaced' }
}

/** Reads a trusted root from a file that a person named; its fingerprint must be the one given by flag or variable, if one is. */
export async function trustedRootFile(
  context: CliContext,
  path: string,
  options: InstanceOptions,
): Promise<TrustedRoot> {
  const root = readRoot(path, await readInput(path, DOCUMENT_LIMIT_BYTES))
  refuseOtherPin(pinOf(context, options), trustedRootFingerprint(root, nodeCrypto), path)
  return root
}

function readRoot(path: string, bytes: Uint8Array): TrustedRoot {
  try {
    return parseTrustedRoot(bytes)
  } catch (error) {
    if (!isCodedError(error)) throw error
    const { code, message, details } = error
    const hint = `Check that ${path} is a trusted root; \`touchmark trust show --raw\` prints the one of an instance.`
    throw new CodedError(code, `${path} is of no use as a trusted root: ${message}`, { ...details, hint })
  }
}

function stripPrefix(fingerprint: string | undefined): string | undefined {
  return fingerprint
    ?.trim()
    .toLowerCase()
    .replace(/^sha256:/, '')
}

/** Refuses a root that is not the one whose fingerprint was given, if one was. */
export function checkPin(context: CliContext, options: InstanceOptions, instance: TrustedInstance): void {
  refuseOtherPin(pinOf(context, options), instance.fingerprint, instance.url)
}

/** The flag goes before the variable; an empty variable is none. */
function pinOf(context: CliContext, options: InstanceOptions): string | undefined {
  return options.rootFingerprint ?? (context.environment['TOUCHMARK_ROOT_FINGERPRINT'] || undefined)
}

function refuseOtherPin(pin: string | undefined, fingerprint: string, where: string): void {
  const wanted = stripPrefix(pin)
  if (wanted === undefined || wanted === fingerprint) return
  throw new CliError('CLI_FINGERPRINT_MISMATCH', `the trust root of ${where} is not the one you named`, {
    expected: fingerprintText(wanted),
    found: fingerprintText(fingerprint),
    hint: 'Ask who runs the instance for its fingerprint (`touchmark trust show` prints it).',
  })
}

function refuseChange(stored: TrustedInstance, served: TrustedInstance): void {
  if (stored.fingerprint === served.fingerprint) return
  throw new CliError('CLI_TRUST_CHANGED', `the trust root of ${stored.url} has changed since it was first used here`, {
    expected: fingerprintText(stored.fingerprint),
    found: fingerprintText(served.fingerprint),
    hint: `Ask who runs the instance whether that was meant. If so: touchmark trust use ${stored.url} --replace ${fingerprintText(served.fingerprint)}`,
  })
}

async function firstUse(context: CliContext, url: string, options: InstanceOptions): Promise<TrustedInstance> {
  const instance = await fetchInstance(context, url)
  // Before it is stored: a root that was refused once must not be trusted the next time.
  checkPin(context, options, instance)
  await storeInstance(context, instance)
  context.err(
    `First use of ${printable(url)}: its trust root is trusted from now on.\n  fingerprint  ${fingerprintText(instance.fingerprint)}\n`,
  )
  return instance
}

/** What an instance serves, not compared with anything. Throws CLI_INSTANCE_ANSWER, TRUST_* and SIGN_SERVICE_*. */
export async function fetchInstance(
  context: CliContext,
  url: string,
  patience: Partial<HttpOptions> = {},
): Promise<TrustedInstance> {
  const answer = await send(
    'Touchmark instance',
    serviceUrl(url, '/trust/client_trust_config.json'),
    { headers: { accept: 'application/json' } },
    { ...context.http, ...patience },
  )
  if (answer.status !== 200) {
    throw new CliError('CLI_INSTANCE_ANSWER', `${url} answered ${answer.status}: it may not be a Touchmark instance`, {
      found: excerpt(answer.body),
      hint: 'Check the address: it is the one that `touchmark up` shows, without a path behind it.',
    })
  }
  return asInstance(url, parseClientTrustConfig(answer.body))
}

function asInstance(url: string, config: ClientTrustConfig): TrustedInstance {
  return { url, config, fingerprint: trustedRootFingerprint(config.trustedRoot, nodeCrypto) }
}

function storeFile(context: CliContext, url: string): string {
  return join(context.home, 'instances', `${createHash('sha256').update(url).digest('hex')}.json`)
}

/** What is stored about an instance; undefined before its first use. Throws CLI_TRUST_UNKNOWN. */
export async function storedInstance(context: CliContext, url: string): Promise<TrustedInstance | undefined> {
  const file = storeFile(context, url)
  if (!(await exists(file))) return undefined
  const bytes = await readInput(file, DOCUMENT_LIMIT_BYTES)
  try {
    return asInstance(url, parseClientTrustConfig(bytes))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CliError('CLI_TRUST_UNKNOWN', `what is stored about ${url} cannot be read`, {
      cause,
      found: cause.message,
      hint: `Remove ${file}, then trust the instance again and compare its fingerprint.`,
    })
  }
}

async function storeInstance(context: CliContext, instance: TrustedInstance): Promise<void> {
  await writePrivate(storeFile(context, instance.url), encodeClientTrustConfig(instance.config))
}

async function chosenInstance(context: CliContext): Promise<string | undefined> {
  const file = join(context.home, 'instance')
  if (!(await exists(file))) return undefined
  return utf8Decode(await readInput(file, 4096)).trim() || undefined
}
