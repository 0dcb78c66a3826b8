import { parsePublicKeyDer } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { base64Decode, equalBytes, hexEncode, parseJson } from '@touchmark/encoding'
import { extractSearchKeys, type SearchKey } from '@touchmark/entry'
import { isCodedError } from '@touchmark/errors'
import { leafHash, verifyInclusion } from '@touchmark/merkle'
import { excerpt, send, serviceUrl } from '@touchmark/sign'
import { isV1Origin, keyNameOf, verifyCheckpoint, type Checkpoint } from '@touchmark/tlog'
import type { LogInstance, TrustedRoot } from '@touchmark/trust'
import type { CliContext } from './context.js'
import { CliError } from './errors.js'

/** What is searched for; `texts` are the values as they were given, by the name of their parameter. */
export interface SearchQuestion {
  readonly texts: ReadonlyMap<string, string>
  readonly keys: readonly SearchKey[]
  readonly operator: 'and' | 'or'
  /** Hits at most. */
  readonly limit: number
}

/** A tree that was searched. Its checkpoint is verified; that the search missed nothing below `indexedSize` is the instance's word. */
export interface SearchedLog {
  readonly origin: string
  readonly logId: Uint8Array
  readonly indexedSize: bigint
  readonly checkpoint: Checkpoint
}

/** An entry that has what was asked for and is proven to be in its log. */
export interface FoundEntry {
  readonly origin: string
  readonly logIndex: bigint
  readonly leafHash: Uint8Array
  readonly body: Uint8Array
  readonly treeSize: bigint
  readonly proof: readonly Uint8Array[]
}

export interface SearchResult {
  readonly logs: readonly SearchedLog[]
  readonly hits: readonly FoundEntry[]
  /** There may be more than the limit allowed. */
  readonly more: boolean
}

const PAGE = 100
/** A page may be empty and have a next one; somewhere an instance that only ever says "next" is left. */
const MAX_PAGES = 10_000
const LARGEST_ANSWER_BYTES = 16 << 20

type Json = Readonly<Record<string, unknown>>

/** The sha-256 that keys are made with. */
export const sha256 = (bytes: Uint8Array): Uint8Array => nodeCrypto.hash('SHA2_256', bytes)

/**
 * Asks an instance, and believes only what it proves: each hit must hold what was asked for, and lead to a checkpoint that a log of the trusted root signed.
 * `progress` is told how many were found. Throws CLI_INSTANCE_ANSWER, CLI_TRUST_UNKNOWN, MERKLE_PROOF_INVALID, TLOG_*, SIGN_SERVICE_*.
 */
export async function searchLogs(
  context: CliContext,
  instance: { readonly url: string; readonly root: TrustedRoot },
  question: SearchQuestion,
  progress: (found: number) => void = () => undefined,
): Promise<SearchResult> {
  const hits: FoundEntry[] = []
  const seen = new Set<string>()
  let first: SearchedLog[] | undefined
  let after: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await askPage(context, instance.url, question, Math.min(PAGE, question.limit - hits.length), after)
    const logs = listOf(page, 'logs').map((log) => readLog(log, instance.root))
    first ??= logs
    for (const json of listOf(page, 'hits')) {
      const hit = readHit(json, logs, question)
      const name = `${hit.origin} ${hit.logIndex}`
      if (seen.has(name)) throw nonsense('it answered with one entry twice')
      seen.add(name)
      hits.push(hit)
    }
    progress(hits.length)
    after = page['next'] === undefined ? undefined : textOf(page, 'next')
    if (after === undefined || hits.length >= question.limit) break
  }
  return { logs: first ?? [], hits, more: after !== undefined }
}

async function askPage(
  context: CliContext,
  url: string,
  { texts, operator }: SearchQuestion,
  limit: number,
  after: string | undefined,
): Promise<Json> {
  const parameters = new URLSearchParams([...texts, ['operator', operator], ['limit', String(limit)]])
  if (after !== undefined) parameters.set('after', after)
  const answer = await send(
    'Touchmark instance',
    serviceUrl(url, `/api/touchmark/v1/search?${parameters.toString()}`),
    { headers: { accept: 'application/json' } },
    { ...context.http, answerLimitBytes: LARGEST_ANSWER_BYTES },
  )
  if (answer.status !== 200) {
    throw new CliError('CLI_INSTANCE_ANSWER', `the instance answered ${answer.status} to the search`, {
      found: excerpt(answer.body),
      ...(answer.status === 404 ? { hint: 'It may be of an older release, which has no search.' } : {}),
    })
  }
  try {
    return objectOf(parseJson(answer.body))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw nonsense('its answer is not JSON', cause)
  }
}

/** The tree's checkpoint under the key that the trusted root has for it, whatever the instance says about itself. */
function readLog(json: Json, root: TrustedRoot): SearchedLog {
  const origin = textOf(json, 'origin')
  const logId = bytesOf(json, 'logId')
  const trusted = root.tlogs.find((log) => equalBytes(log.logId, logId) && isOriginOf(origin, log))
  if (trusted === undefined) {
    throw new CliError('CLI_TRUST_UNKNOWN', 'the instance searched a log that the trusted root does not name', {
      found: `${origin.slice(0, 300)}, log ${hexEncode(logId).slice(0, 64)}`,
      hint: 'The trusted root kept here may be older than the log: ask who runs the instance.',
    })
  }
  const key = parsePublicKeyDer(trusted.publicKey.rawBytes)
  const checkpoint = verifyCheckpoint(textOf(json, 'checkpoint'), { origin, key, logId: trusted.logId }, nodeCrypto)
  const indexedSize = numberOf(json, 'indexedSize')
  if (indexedSize > checkpoint.size) throw nonsense('it says that more is indexed than the log holds')
  return { origin, logId, indexedSize, checkpoint }
}

/** A v2 log is named by its host, a v1 log by its host and its tree (log-v2.md §7, log-v1.md §5). */
function isOriginOf(origin: string, log: LogInstance): boolean {
  const host = new URL(log.baseUrl).hostname
  return origin === host || (isV1Origin(origin) && keyNameOf(origin) === host)
}

function readHit(json: Json, logs: readonly SearchedLog[], { keys, operator }: SearchQuestion): FoundEntry {
  const origin = textOf(json, 'origin')
  const log = logs.find((one) => one.origin === origin)
  if (log === undefined) throw nonsense('it answered with an entry of a log that it did not name')
  const logIndex = numberOf(json, 'logIndex')
  const body = bytesOf(json, 'body')
  const { size, root } = log.checkpoint
  const proof = hashesOf(objectOf(json['inclusionProof']))
  const hash = leafHash(body)
  verifyInclusion({ leafHash: hash, index: logIndex, size, root, proof })
  const has = new Set(extractSearchKeys(body, sha256).keys.map(({ kind, value }) => `${kind} ${value}`))
  const wanted = keys.map(({ kind, value }) => `${kind} ${value}`)
  const fits = operator === 'and' ? wanted.every((key) => has.has(key)) : wanted.some((key) => has.has(key))
  if (!fits) throw nonsense(`entry ${logIndex} does not hold what was searched for`)
  return { origin, logIndex, leafHash: hash, body, treeSize: size, proof }
}

function hashesOf(proof: Json): Uint8Array[] {
  const hashes = proof['hashes']
  if (!Array.isArray(hashes) || hashes.length > 64) throw nonsense('a proof is malformed')
  return hashes.map((hash: unknown) => decode(hash, 'a hash of a proof'))
}

function objectOf(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw nonsense('its answer is malformed')
  return value as Json
}

function listOf(json: Json, name: string): Json[] {
  const value = json[name]
  if (!Array.isArray(value) || value.length > 1000) throw nonsense(`"${name}" of its answer is malformed`)
  return value.map(objectOf)
}

function textOf(json: Json, name: string): string {
  const value = json[name]
  return typeof value === 'string' ? value : nonsenseIn(name)
}

function numberOf(json: Json, name: string): bigint {
  const text = textOf(json, name)
  return /^(0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : nonsenseIn(name)
}

function bytesOf(json: Json, name: string): Uint8Array {
  return decode(json[name], `"${name}"`)
}

function decode(value: unknown, what: string): Uint8Array {
  try {
    if (typeof value === 'string') return base64Decode(value)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
  }
  throw nonsense(`${what} is not base64`)
}

function nonsenseIn(name: string): never {
  throw nonsense(`"${name}" of its answer is malformed`)
}

function nonsense(why: string, cause?: unknown): CliError {
  return new CliError('CLI_INSTANCE_ANSWER', `the instance answered nonsense to the search: ${why}`, { cause })
}
