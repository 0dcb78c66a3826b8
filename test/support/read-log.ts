import { CompactRange, leafHash } from '@touchmark/merkle'
import { decodeEntryBundle, parseCheckpoint, parseSignedNote, TILE_WIDTH, tilePath, tileWidth } from '@touchmark/tlog'

/** The whole log as its static files give it: leaf hashes, and the root at every size. */
export interface WholeLog {
  readonly size: bigint
  readonly rootHash: string
  readonly leafHashes: readonly string[]
  readonly rootAt: (size: bigint) => string
}

async function get(url: string): Promise<Uint8Array> {
  const response = await fetch(url)
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** Reads every entry and computes every root; throws when the entries do not lead to the signed root. */
export async function readWholeLog(url: string): Promise<WholeLog> {
  const note = Buffer.from(await get(`${url}/api/v2/checkpoint`)).toString('utf8')
  const checkpoint = parseCheckpoint(parseSignedNote(note).text)
  const leafHashes: string[] = []
  const roots: string[] = []
  const range = CompactRange.empty()
  for (let index = 0n; index * BigInt(TILE_WIDTH) < checkpoint.size; index++) {
    const path = tilePath('entries', index, tileWidth(0, index, checkpoint.size))
    for (const body of decodeEntryBundle(await get(`${url}/api/v2/${path}`))) {
      const hash = leafHash(body)
      range.append(hash)
      leafHashes.push(Buffer.from(hash).toString('hex'))
      roots.push(Buffer.from(range.root()).toString('base64'))
    }
  }
  const rootHash = Buffer.from(checkpoint.root).toString('base64')
  if (BigInt(leafHashes.length) !== checkpoint.size)
    throw new Error(`the log has ${leafHashes.length} entries and says ${checkpoint.size}`)
  if (roots.at(-1) !== rootHash) throw new Error('the entries do not lead to the signed root')
  return { size: checkpoint.size, rootHash, leafHashes, rootAt: (size) => roots[Number(size) - 1]! }
}
