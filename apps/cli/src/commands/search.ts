import { hexEncode, parseJson, pemDecodeAll, utf8Decode } from '@touchmark/encoding'
import { extractSearchKeys, parseSearchKey, type SearchKey, type SearchKind } from '@touchmark/entry'
import { isCodedError } from '@touchmark/errors'
import { parseCertificate } from '@touchmark/x509'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'
import { printJson, Progress, rows } from '../output.js'
import { searchLogs, sha256, type FoundEntry, type SearchedLog, type SearchResult } from '../search-client.js'
import { trustInstance, type InstanceOptions } from '../trust-store.js'

export interface SearchOptions extends InstanceOptions {
  readonly identity?: string
  readonly issuer?: string
  readonly digest?: string
  /** SHA-256 of a key in hexadecimal, or a file with a key or certificate in PEM. */
  readonly publicKey?: string
  readonly serial?: string
  readonly any?: boolean
  readonly limit?: number
}

const DEFAULT_LIMIT = 20
const KEY_FILE_BYTES = 64 << 10

/** `touchmark log search`: entries by what is in them, each proven; and the sizes up to which the instance says that nothing is missing. */
export async function logSearch(context: CliContext, options: SearchOptions): Promise<void> {
  const texts = await searchedTexts(options)
  const keys = [...texts].map(([kind, text]): SearchKey => parseSearchKey(kind, text, sha256))
  if (keys.length === 0)
    throw new CliError('CLI_USAGE', 'say what to search for', {
      hint: 'Give --identity, --issuer, --digest, --public-key or --serial; several narrow the search, --any widens it.',
    })
  const { url, config } = await trustInstance(context, options)
  const question = {
    texts,
    keys,
    operator: options.any === true ? ('or' as const) : ('and' as const),
    limit: options.limit ?? DEFAULT_LIMIT,
  }
  const progress = new Progress(context)
  const found = await searchLogs(context, { url, root: config.trustedRoot }, question, (count) =>
    progress.show(`searching: ${count} found`),
  ).finally(() => progress.clear())
  if (context.json) return printJson(context, resultJson(found))
  printResult(context, found)
}

async function searchedTexts(options: SearchOptions): Promise<Map<SearchKind, string>> {
  const texts = new Map<SearchKind, string>()
  for (const kind of ['digest', 'identity', 'issuer', 'serial'] as const) {
    const text = options[kind]
    if (text !== undefined) texts.set(kind, text)
  }
  if (options.publicKey !== undefined) texts.set('publicKey', await publicKeyHash(options.publicKey))
  return texts
}

async function publicKeyHash(named: string): Promise<string> {
  if (/^(sha256:)?[0-9a-f]{64}$/i.test(named)) return named
  const blocks = pemDecodeAll(utf8Decode(await readInput(named, KEY_FILE_BYTES)))
  for (const { label, bytes } of blocks) {
    if (label === 'PUBLIC KEY') return hexEncode(sha256(bytes))
    if (label === 'CERTIFICATE') return hexEncode(sha256(parseCertificate(bytes).spki))
  }
  throw new CliError('CLI_USAGE', `${named} holds no public key and no certificate in PEM`)
}

function printResult(context: CliContext, { logs, hits, more }: SearchResult): void {
  for (const hit of hits) {
    context.out(rows([['entry', `${hit.logIndex} of ${hit.origin}`]], ''))
    context.out(rows(describe(hit)))
  }
  const count = hits.length === 1 ? '1 entry' : `${hits.length} entries`
  context.out(
    hits.length === 0
      ? 'nothing found\n'
      : `${count}, proven: each is in its log, under a checkpoint that the trusted key signed.\n`,
  )
  if (more) context.out('There are more: raise --limit.\n')
  context.out(logs.map((log) => rows([[more ? 'searched' : 'complete', completeness(log)]], '')).join(''))
  context.out(
    'That nothing is missing up to there is the word of the instance. This says what was logged, not whether a signature is good: that is for `touchmark verify`.\n',
  )
}

function completeness({ origin, indexedSize, checkpoint }: SearchedLog): string {
  return `up to ${indexedSize} of ${checkpoint.size} entries of ${origin}`
}

const NAMES: Readonly<Record<SearchKind, string>> = {
  digest: 'digest',
  identity: 'signed by',
  issuer: 'vouched for by',
  publicKey: 'key sha256',
  serial: 'serial',
}

/** What the entry can be found by is what it says. */
function describe(hit: FoundEntry): [string, string][] {
  const { keys } = extractSearchKeys(hit.body, sha256)
  return [['kind', kindOf(hit.body)], ...keys.map(({ kind, value }): [string, string] => [NAMES[kind], value])]
}

function kindOf(body: Uint8Array): string {
  const { kind, apiVersion } = (bodyJson(body) ?? {}) as { kind?: unknown; apiVersion?: unknown }
  return typeof kind === 'string' && typeof apiVersion === 'string' ? `${kind} ${apiVersion}` : 'unknown'
}

function bodyJson(body: Uint8Array): unknown {
  try {
    return parseJson(body)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function resultJson({ logs, hits, more }: SearchResult): Record<string, unknown> {
  return {
    logs: logs.map(({ origin, logId, indexedSize, checkpoint }) => ({
      origin,
      logId: hexEncode(logId),
      indexedSize,
      treeSize: checkpoint.size,
      rootHash: hexEncode(checkpoint.root),
    })),
    hits: hits.map((hit) => ({
      origin: hit.origin,
      logIndex: hit.logIndex,
      treeSize: hit.treeSize,
      leafHash: hexEncode(hit.leafHash),
      hashes: hit.proof.map(hexEncode),
      body: bodyJson(hit.body),
    })),
    more,
  }
}
