// C9: Tessera's fsck reads our log at the sizes where tiles begin and end. `TOUCHMARK_INTEROP_LONG=1` goes on to a million entries.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '@touchmark/clock'
import { generateSigner } from '@touchmark/crypto/node'
import { openLog } from '@touchmark/ledger'
import { migrate, openDatabase, removeEmbeddedPostgres, startEmbeddedPostgres } from '@touchmark/postgres'
import { parseTilePath } from '@touchmark/tlog'
import { tesseraAccepts } from './tessera-fsck.mjs'
import { verifierKey } from './verifier-key.mjs'

const SIZES = [1, 255, 256, 257, 65_535, 65_536, 65_537]
const LONG = process.env.TOUCHMARK_INTEROP_LONG === '1'
const AT_ONCE = 4096

/** The tiles of one log, as tlog-tiles names them. */
function serve(log) {
  const server = createServer((request, response) => {
    const answer = (status, body = '') => response.writeHead(status).end(body)
    const path = request.url.slice(1)
    const found = async () => {
      if (path === 'checkpoint') return (await log.checkpoint()).note
      const { level, index, width } = parseTilePath(path)
      return level === 'entries' ? log.entryBundle(index, width) : log.tile(level, index, width)
    }
    found().then(
      (body) => (body === undefined ? answer(404) : answer(200, body)),
      (error) => answer(500, String(error)),
    )
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

async function fillTo(log, size) {
  for (let have = Number((await log.checkpoint()).size); have < size;) {
    const count = Math.min(AT_ONCE, size - have)
    const bodies = Array.from({ length: count }, (_, i) => Buffer.from(`entry ${have + i}`))
    await Promise.all(bodies.map((body) => log.append({ body })))
    have += count
  }
}

/** `report` is told of each size, with what fsck said when it did not accept it. */
export async function testLogSizes({ fsck, folder, report, sizes = LONG ? [...SIZES, 1_000_000] : SIZES }) {
  const dataDir = join(folder, 'sizes', 'postgres')
  mkdirSync(join(folder, 'sizes'))
  for (const place of [folder, join(folder, 'sizes')]) chmodSync(place, 0o711)
  const postgres = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } })
  const db = await openDatabase({ url: postgres.url, poolSize: 6 })
  try {
    await migrate(db)
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const origin = 'sizes.example.com'
    const batch = { maxEntries: AT_ONCE }
    const log = await openLog({ db, kind: 'signature-v2', origin, signer, clock: systemClock, batch })
    const server = await serve(log)
    const key = join(folder, 'sizes.vkey')
    writeFileSync(key, `${verifierKey(origin, Buffer.from(signer.publicKey.spki))}\n`)
    const url = `http://127.0.0.1:${server.address().port}/`
    for (const size of sizes) {
      await fillTo(log, size)
      const started = performance.now()
      const problem = await tesseraAccepts(fsck, key, url).then(
        (checked) => (checked === BigInt(size) ? undefined : `it checked ${checked} entries`),
        (error) => String(error.stderr || error.message).slice(-2000),
      )
      report(`Tessera's fsck accepts a log of ${size} entries`, problem)
      console.log(
        `fsck of ${size} entries: ${problem === undefined ? 'accepted' : 'REFUSED'} in ${Math.round(performance.now() - started)} ms`,
      )
    }
    server.closeAllConnections()
    server.close()
    await log.close()
  } finally {
    await db.close()
    await postgres.stop()
    await removeEmbeddedPostgres(dataDir)
  }
}
