import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { StandaloneError } from '../errors.js'
import { guardPlaces, type GuardConfig } from './guard-places.js'
import { workerCount } from './worker-count.js'

export const DEFAULT_PORT = 8360
export const DEFAULT_DATA_DIR = '.touchmark'

/** What `touchmark up` takes; every member may be left out. */
export interface UpOptions {
  readonly port?: number
  readonly data?: string
  readonly publicUrl?: string
  readonly listen?: string
  readonly issuers?: string
  readonly demoIssuer?: 'auto' | 'on' | 'off'
  readonly databaseUrl?: string
  readonly passphraseFile?: string
  readonly metricsPort?: number
  readonly metricsListen?: string
  readonly logLevel?: string
  readonly guard?: readonly string[]
  readonly guardOptional?: boolean
  readonly workers?: string
}

/** The settings of one process, read once. */
export interface StandaloneConfig {
  readonly dataDir: string
  readonly listen: string
  /** Undefined: the port of the stored public URL, or the default at a first start. */
  readonly port: number | undefined
  readonly publicUrl: string | undefined
  readonly issuersText: string | undefined
  readonly demoIssuer: 'auto' | 'on' | 'off'
  readonly databaseUrl: string | undefined
  readonly passphrase: { readonly file?: string; readonly value?: string } | undefined
  readonly metricsPort: number
  /** Metrics tell about the inside: loopback unless told otherwise, whatever the service listens on. */
  readonly metricsListen: string
  readonly logLevel: string
  readonly guard: GuardConfig
  /** Processes that serve; with 1 this process serves itself. */
  readonly workers: number
}

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug']

/** Reads flags and environment; flags win. Throws STANDALONE_CONFIG or STANDALONE_ISSUERS_FILE. */
export function readConfig(options: UpOptions, environment: NodeJS.ProcessEnv): StandaloneConfig {
  const dataDir = resolve(options.data ?? environment['TOUCHMARK_DATA'] ?? DEFAULT_DATA_DIR)
  const publicUrl = options.publicUrl ?? environment['TOUCHMARK_PUBLIC_URL']
  const logLevel = options.logLevel ?? environment['TOUCHMARK_LOG_LEVEL'] ?? 'warn'
  if (!LOG_LEVELS.includes(logLevel))
    throw new StandaloneError('STANDALONE_CONFIG', `log level "${logLevel}" is not one of ${LOG_LEVELS.join(', ')}`)
  const demoIssuer = options.demoIssuer ?? 'auto'
  if (!['auto', 'on', 'off'].includes(demoIssuer))
    throw new StandaloneError('STANDALONE_CONFIG', `--demo-issuer must be auto, on or off, not "${demoIssuer}"`)
  const issuersFile = options.issuers ?? environment['TOUCHMARK_ISSUERS']
  return {
    dataDir,
    listen: options.listen ?? environment['TOUCHMARK_LISTEN'] ?? '127.0.0.1',
    port: port('--port', options.port),
    publicUrl: publicUrl === undefined ? undefined : checkPublicUrl(publicUrl),
    issuersText: issuersFile === undefined ? undefined : readIssuers(issuersFile),
    demoIssuer,
    databaseUrl: databaseUrl(
      options.databaseUrl ?? environment['DATABASE_URL'],
      environment['TOUCHMARK_DATABASE_PASSWORD_FILE'],
    ),
    passphrase: passphraseSource(
      options.passphraseFile ?? environment['TOUCHMARK_PASSPHRASE_FILE'],
      environment['TOUCHMARK_PASSPHRASE'],
    ),
    metricsPort: port('--metrics-port', options.metricsPort) ?? 0,
    metricsListen: options.metricsListen ?? environment['TOUCHMARK_METRICS_LISTEN'] ?? '127.0.0.1',
    logLevel,
    guard: guardPlaces(
      options.guard ?? environment['TOUCHMARK_GUARD']?.split(/\s+/).filter((place) => place !== '') ?? [],
      options.guardOptional ?? false,
      environment['TOUCHMARK_GUARD_TOKEN_FILE'],
    ),
    workers: workerCount(options.workers ?? environment['TOUCHMARK_WORKERS']),
  }
}

/** Where a passphrase made by us is kept, for the embedded database only. */
export function generatedPassphraseFile(dataDir: string): string {
  return join(dataDir, 'passphrase')
}

function passphraseSource(file: string | undefined, value: string | undefined): StandaloneConfig['passphrase'] {
  if (file !== undefined) return { file }
  return value === undefined ? undefined : { value }
}

/** The password may stand in a file of its own, so that it is in no environment listing. */
function databaseUrl(text: string | undefined, passwordFile: string | undefined): string | undefined {
  if (text === undefined || passwordFile === undefined) return text
  // Not by URL: a socket folder stands in `host=`, and the URL then has a user and no host.
  const [, scheme, user, rest] = /^(postgres(?:ql)?:\/\/)([^/?#@:]+)(?::[^/?#@]*)?@(.*)$/s.exec(text) ?? []
  if (scheme === undefined || user === undefined || rest === undefined) {
    throw new StandaloneError('STANDALONE_CONFIG', 'DATABASE_URL names no user, to whom the password would belong', {
      hint: 'Write it as postgresql://USER@HOST/DATABASE; the password comes from TOUCHMARK_DATABASE_PASSWORD_FILE.',
    })
  }
  return `${scheme}${user}:${encodeURIComponent(readPassword(passwordFile))}@${rest}`
}

function readPassword(file: string): string {
  let password: string
  try {
    password = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new StandaloneError('STANDALONE_CONFIG', `the password file ${file} cannot be read`, { cause })
  }
  if (password === '') throw new StandaloneError('STANDALONE_CONFIG', `the password file ${file} is empty`)
  return password
}

function port(flag: string, value: number | undefined): number | undefined {
  if (value !== undefined && (!Number.isInteger(value) || value < 0 || value > 65_535)) {
    throw new StandaloneError('STANDALONE_CONFIG', `${flag} must be a number from 0 to 65535`)
  }
  return value
}

function readIssuers(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new StandaloneError('STANDALONE_ISSUERS_FILE', `the issuer configuration ${file} cannot be read`, { cause })
  }
}

/**
 * An origin without path, slash, user or query: clients put their paths behind it by plain concatenation, and some drop a path (contracts of
 * the CA §1 and of the log §7). Its host name becomes the log's origin. Returns it as it will be stored.
 */
export function checkPublicUrl(text: string): string {
  // The text is not repeated: it may hold a password.
  const bad = (why: string): StandaloneError =>
    new StandaloneError('STANDALONE_CONFIG', `the public URL ${why}`, {
      hint: 'Give scheme, host and port alone, for example https://touchmark.example.com',
    })
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw bad('is no URL')
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad('must begin with https:// or http://')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw bad('must hold no user, query or fragment')
  if (url.pathname !== '/') throw bad('must have no path')
  if (url.hostname.startsWith('[')) throw bad('must name a host, not an IPv6 address')
  // It becomes the name of the log in signed notes, which may hold no plus sign and no space.
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(url.hostname))
    throw bad('must name a host of letters, digits, hyphens and dots')
  return url.origin
}
