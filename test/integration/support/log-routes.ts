import { send } from './http.js'

export interface LogRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
}

export const V2_ENTRIES = '/api/v2/log/entries'
export const V1_ENTRIES = '/api/v1/log/entries'
export const V1_RETRIEVE = '/api/v1/log/entries/retrieve'
export const V1_INDEX = '/api/v1/index/retrieve'
export const SEARCH = '/api/touchmark/v1/search'

/** The routes that read a body, with what they say to one that is too large. */
export const WRITES = [V2_ENTRIES, V1_ENTRIES, V1_RETRIEVE, V1_INDEX] as const

const hash = encodeURIComponent(Buffer.alloc(32).toString('base64'))

/** Those that do not; each answers below 500, whatever the logs hold. */
export const READS = [
  '/api/v2/checkpoint',
  '/api/v2/tile/0/000.p/1',
  '/api/v2/tile/entries/000.p/1',
  '/api/v1/log',
  '/api/v1/log/publicKey',
  '/api/v1/log/proof?lastSize=1',
  '/api/v1/log/entries?logIndex=0',
  `/api/v1/log/entries/${'0'.repeat(64)}`,
  `${SEARCH}?identity=a`,
  '/ct/checkpoint',
  '/ct/tile/0/000.p/1',
  '/ct/tile/entries/000.p/1',
  '/ct/v1/get-sth',
  '/ct/v1/get-roots',
  '/ct/v1/get-entries?start=0&end=0',
  '/ct/v1/get-sth-consistency?first=1&second=1',
  `/ct/v1/get-proof-by-hash?hash=${hash}&tree_size=1`,
  '/ct/v1/get-entry-and-proof?leaf_index=0&tree_size=1',
] as const

export const LOG_ROUTES: readonly LogRoute[] = [
  ...WRITES.map((path) => ({ method: 'POST' as const, path })),
  ...READS.map((path) => ({ method: 'GET' as const, path })),
]

/** Sizes of all logs of an instance, as anybody can read them. */
export async function allSizes(url: string): Promise<{ v2: number; v1: number; certificate: number }> {
  const [note, v1, sth] = await Promise.all(
    ['/api/v2/checkpoint', '/api/v1/log', '/ct/v1/get-sth'].map((path) => send(url, path)),
  )
  return {
    v2: Number(note!.text.split('\n')[1]),
    v1: (JSON.parse(v1!.text) as { treeSize: number }).treeSize,
    certificate: (JSON.parse(sth!.text) as { tree_size: number }).tree_size,
  }
}
