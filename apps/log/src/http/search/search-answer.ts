import { LedgerError, type Log, type LogHead, type SearchHit, type SearchPage } from '@touchmark/ledger'
import { verifyInclusion } from '@touchmark/merkle'

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/**
 * The answer to a search: each tree with its newest checkpoint and the size up to which the search is complete, and each hit with its proof under that
 * checkpoint, verified here as a client will. Numbers are text, as in API v2. Throws LEDGER_CORRUPT for a hit that the tree does not prove.
 */
export async function searchAnswer(page: SearchPage, logs: readonly Log[]): Promise<Buffer> {
  const heads = new Map<string, LogHead>()
  const trees: object[] = []
  for (const log of logs) {
    const indexedSize = page.treeSizes.get(log.origin)
    if (indexedSize === undefined) continue
    const head = await log.checkpoint()
    heads.set(log.origin, head)
    trees.push(treeJson(log, head, indexedSize))
  }
  const byOrigin = new Map(logs.map((log) => [log.origin, log]))
  const hits: object[] = []
  for (const hit of page.hits) hits.push(await hitJson(hit, byOrigin.get(hit.origin)!, heads.get(hit.origin)!))
  const next = page.next === undefined ? {} : { next: page.next }
  return Buffer.from(JSON.stringify({ logs: trees, hits, ...next }))
}

function treeJson(log: Log, head: LogHead, indexedSize: bigint): object {
  return {
    origin: log.origin,
    logId: base64(log.logId),
    kind: log.kind,
    indexedSize: indexedSize.toString(),
    treeSize: head.size.toString(),
    rootHash: base64(head.root),
    checkpoint: head.note,
  }
}

async function hitJson(hit: SearchHit, log: Log, head: LogHead): Promise<object> {
  const { origin, logIndex, leafHash, body } = hit
  const hashes = await log.inclusionProof(logIndex, head.size)
  try {
    verifyInclusion({ leafHash, index: logIndex, size: head.size, root: head.root, proof: hashes })
  } catch (cause) {
    throw new LedgerError('LEDGER_CORRUPT', `the tree does not prove entry ${logIndex}`, { cause })
  }
  return {
    origin,
    logIndex: logIndex.toString(),
    leafHash: base64(leafHash),
    body: base64(body),
    inclusionProof: { treeSize: head.size.toString(), rootHash: base64(head.root), hashes: hashes.map(base64) },
  }
}
