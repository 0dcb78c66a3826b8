import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { nodeCrypto } from '@touchmark/crypto/node'
import { excerpt, send } from '@touchmark/sign'
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

const DOCUMENT_LIMIT_BYTES = 4 << 20

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
  const named = options.instance ?? context.environment['TOUCHMARK_INSTANCE'] ?? (await chosenInstance(context))
  if (named === undefined || named === '') {
    throw new CliError('CLI_NO_INSTANCE', 'no Touchmark instance is chosen', {
      hint: 'Run `touchmark trust use URL` once, or pass --instance URL, or set TOUCHMARK_INSTANCE.',
    })
  }
  if (!URL.canParse(named) || !/^https?:$/.test(new URL(named).protocol))
    throw new CliError('CLI_USAGE', `the instance must be an http or https URL, not ${named.slice(0, 100)}`)
  return named.replace(/\/+$/, '')
}

/** The stored trust of an instance; at first use the root is fetched, its fingerprint is said aloud, and it is kept. */
export async function trustInstance(context: CliContext, options: InstanceOptions): Promise<TrustedInstance> {
  const url = await instanceUrl(context, options)
  const stored = await storedInstance(context, url)
  const instance = stored ?? (await firstUse(context, url))
  checkPin(context, options, instance)
  return instance
}

/** The same, and asks the instance whether its root is still the trusted one; without an answer the stored one is used. */
export async function trustCurrentInstance(context: CliContext, options: InstanceOptions): Promise<TrustedInstance> {
  const url = await instanceUrl(context, options)
  const stored = await storedInstance(context, url)
  if (stored === undefined) return trustInstance(context, options)
  checkPin(context, options, stored)
  const served = await fetchInstance(context, url, 1).catch(() => undefined)
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
): Promise<{ instance: TrustedInstance; first: boolean }> {
  const served = await fetchInstance(context, url)
  checkPin(context, options, served)
  const stored = await storedInstance(context, url)
  if (
    stored !== undefined &&
    stored.fingerprint !== served.fingerprint &&
    stripPrefix(options.replace) !== served.fingerprint
  )
    refuseChange(stored, served)
  await storeInstance(context, served)
  await writePrivate(join(context.home, 'instance'), `${url}\n`)
  return { instance: served, first: stored === undefined }
}

/** Reads a trusted root from a file that a person named. */
export async function trustedRootFile(path: string): Promise<TrustedRoot> {
  return parseTrustedRoot(await readInput(path, DOCUMENT_LIMIT_BYTES))
}

function stripPrefix(fingerprint: string | undefined): string | undefined {
  return fingerprint
    ?.trim()
    .toLowerCase()
    .replace(/^sha256:/, '')
}

function checkPin(context: CliContext, options: InstanceOptions, instance: TrustedInstance): void {
  const wanted = stripPrefix(options.rootFingerprint ?? context.environment['TOUCHMARK_ROOT_FINGERPRINT'])
  if (wanted === undefined || wanted === '' || wanted === instance.fingerprint) return
  throw new CliError('CLI_FINGERPRINT_MISMATCH', `the trust root of ${instance.url} is not the one you named`, {
    expected: fingerprintText(wanted),
    found: fingerprintText(instance.fingerprint),
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

async function firstUse(context: CliContext, url: string): Promise<TrustedInstance> {
  const instance = await fetchInstance(context, url)
  await storeInstance(context, instance)
  context.err(
    `First use of ${url}: its trust root is trusted from now on.\n  fingerprint  ${fingerprintText(instance.fingerprint)}\n`,
  )
  return instance
}

async function fetchInstance(context: CliContext, url: string, tries = context.http.tries): Promise<TrustedInstance> {
  const answer = await send(
    'Touchmark instance',
    `${url}/trust/client_trust_config.json`,
    { headers: { accept: 'application/json' } },
    { ...context.http, tries },
  )
  if (answer.status !== 200) {
    throw new CliError('CLI_INSTANCE_ANSWER', `${url} answered ${answer.status}: it may not be a Touchmark instance`, {
      found: excerpt(answer.body),
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

async function storedInstance(context: CliContext, url: string): Promise<TrustedInstance | undefined> {
  const file = storeFile(context, url)
  return (await exists(file))
    ? asInstance(url, parseClientTrustConfig(await readInput(file, DOCUMENT_LIMIT_BYTES)))
    : undefined
}

async function storeInstance(context: CliContext, instance: TrustedInstance): Promise<void> {
  await writePrivate(storeFile(context, instance.url), encodeClientTrustConfig(instance.config))
}

async function chosenInstance(context: CliContext): Promise<string | undefined> {
  const file = join(context.home, 'instance')
  return (await exists(file))
    ? Buffer.from(await readInput(file, 4096))
        .toString('utf8')
        .trim()
    : undefined
}
