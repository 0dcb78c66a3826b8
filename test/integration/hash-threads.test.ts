import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'

/** Runs what is built: a thread starts from a file of its own. 40 tiles of two entries each, in one of which the tile does not fit its entries. */
const SCRIPT = `void (async () => {
const { createHasher } = await import('@touchmark/audit')
const { createHash } = await import('node:crypto')
const leaf = (body) => createHash('sha256').update(Buffer.concat([Buffer.of(0), body])).digest()
const task = (i) => {
  const bodies = [Buffer.from('entry ' + i), Buffer.from('another ' + i)]
  const bytes = Buffer.concat(bodies.flatMap((body) => [Buffer.of(0, body.length), body]))
  const tile = Buffer.concat(bodies.map(leaf))
  if (i === 23) tile[40] ^= 1
  return { index: BigInt(i), width: 2, entries: { lengthBytes: 2, bytes: new Uint8Array(bytes) }, tile: new Uint8Array(tile) }
}
const run = async (hasher) => {
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => hasher.check(task(i))))
  await hasher.close()
  return results.map(({ hashes, differences }) => [Buffer.from(hashes).toString('hex'), differences.map(({ entry }) => String(entry))])
}
console.log(JSON.stringify({ here: await run(createHasher(0)), threads: await run(createHasher(2, 0)), later: await run(createHasher(2, 10)) }))
})()`

it('hashes on threads as on its own, from the start or later on', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', SCRIPT])
  const { here, threads, later } = JSON.parse(stdout) as Record<'here' | 'threads' | 'later', [string, string[]][]>
  expect(here.filter(([, differences]) => differences.length > 0)).toEqual([[expect.any(String), ['5889']]])
  expect(threads).toEqual(here)
  expect(later).toEqual(here)
})
