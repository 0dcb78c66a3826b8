import { leafHash } from '@touchmark/merkle'
import { encodeEntryBundle, rightEdge, TILE_WIDTH, tilePath, tileRoot, tileWidth } from '@touchmark/tlog'
import type { TestLog } from '../../../../libs/verify/src/testing/test-log.js'

/** The static files of a log (C2SP tlog-tiles), by the path below `/api/v2/`. */
export async function staticFiles(log: TestLog): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const { checkpoint } = await log.prove(0)
  files.set('checkpoint', Buffer.from(checkpoint!))
  const size = BigInt(log.leaves.length)
  let hashes = log.leaves.map((leaf) => leafHash(leaf))
  for (const [level] of rightEdge(size).entries()) {
    const full: Uint8Array[] = []
    for (let index = 0; index * TILE_WIDTH < hashes.length; index++) {
      const part = hashes.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH)
      const tile = Buffer.concat(part)
      files.set(tilePath(level, BigInt(index), part.length), tile)
      if (part.length === TILE_WIDTH) full.push(tileRoot(tile))
    }
    hashes = full
    if (hashes.length === 0) break
  }
  for (let index = 0n; index * BigInt(TILE_WIDTH) < size; index++) {
    const from = Number(index) * TILE_WIDTH
    const width = tileWidth(0, index, size)
    files.set(tilePath('entries', index, width), encodeEntryBundle(log.leaves.slice(from, from + width)))
  }
  return files
}
