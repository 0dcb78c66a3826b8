// `npm run bench:fill`: does a large tree append as fast as a small one? Fills a tree with small entries through the ledger's own append, in large batches,
// and at each of the given sizes measures appends of 100 callers in the ledger's usual batches, and what an entry takes on disk.
//
//   --sizes 100000,10000000   where to measure
//   --seconds 10              how long each measurement takes
//   --repetitions 3
//   --keep DIR                keep the tree and its key there, and go on from what an earlier run has left; else a temporary folder
//   --json
//
// Example: npm run bench:fill -- --sizes 10000,100000 --seconds 2 --repetitions 1
import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '@touchmark/clock'
import { generateSigner, privateKeyToPkcs8, signerFromPkcs8 } from '@touchmark/crypto/node'
import { openLog } from '@touchmark/ledger'
import { migrate, openDatabase, removeEmbeddedPostgres, startEmbeddedPostgres } from '@touchmark/postgres'
import { medianRun, number, table } from './parts/figures.mjs'

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100000,10000000' },
    seconds: { type: 'string', default: '10' },
    repetitions: { type: 'string', default: '3' },
    keep: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const sizes = flags.sizes.split(',').map((text) => BigInt(text))
const seconds = Number(flags.seconds)
const CALLERS = 100
const FILL_BATCH = 4_096
/** One batch in work and one that gathers. */
const FILL_IN_FLIGHT = 2 * FILL_BATCH
const SMALL_BYTES = 64
/** About what a hashedrekord with a certificate has. */
const USUAL_BYTES = 1_300

const say = (text) => process.stderr.write(`${text}\n`)

/** Bytes that were never sent before: a running number, then noise. */
let sent = 0
function fresh(bytes) {
  const body = Buffer.alloc(bytes)
  randomFillSync(body, 8, Math.min(24, bytes - 8))
  body.writeDoubleBE(sent++)
  return new Uint8Array(body)
}

async function fillTo(size, options) {
  const log = await openLog({
    ...options,
    batch: { maxEntries: FILL_BATCH },
    maxWaiting: 2 * FILL_IN_FLIGHT,
  })
  const began = performance.now()
  const from = (await log.checkpoint()).size
  let started = from
  let done = from
  let toldAt = began
  const one = async () => {
    while (started < size) {
      started++
      await appendAtLast(log, fresh(SMALL_BYTES))
      done++
      const now = performance.now()
      if (now - toldAt < 5_000) continue
      toldAt = now
      const rate = Number(done - from) / ((now - began) / 1000)
      const left = Number(size - done) / rate
      say(
        `  ${done.toLocaleString('en')} of ${size.toLocaleString('en')} entries, ${number(rate)}/s, ${Math.ceil(left)} s left`,
      )
    }
  }
  await Promise.all(Array.from({ length: FILL_IN_FLIGHT }, one))
  await log.close()
  const filled = Number(done - from)
  return { filled, rate: filled / ((performance.now() - began) / 1000) }
}

/** A busy machine may cost a batch its transaction; to send it again is right, and never makes two of one entry. */
async function appendAtLast(log, body) {
  for (;;) {
    try {
      return await log.append({ body })
    } catch (error) {
      if (error.details?.retryAfterSeconds === undefined) throw error
      await new Promise((resolve) => setTimeout(resolve, error.details.retryAfterSeconds * 1000))
    }
  }
}

/** Appends of many callers, each with one entry at a time. */
async function measure(options) {
  const log = await openLog(options)
  const times = []
  const warmUntil = performance.now() + 2_000
  const until = warmUntil + seconds * 1000
  const cpuBefore = process.cpuUsage()
  const caller = async () => {
    for (let began = performance.now(); began < until; began = performance.now()) {
      await log.append({ body: fresh(USUAL_BYTES) })
      const now = performance.now()
      if (began >= warmUntil && now < until) times.push(now - began)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const cpu = process.cpuUsage(cpuBefore)
  await log.close()
  times.sort((a, b) => a - b)
  const quantile = (q) => times[Math.floor(q * (times.length - 1))]
  const all = (times.length * (seconds + 2)) / seconds
  return {
    clients: CALLERS,
    per_second: times.length / seconds,
    p50_ms: quantile(0.5),
    p99_ms: quantile(0.99),
    errors: 0,
    cpuUs: (cpu.user + cpu.system) / all,
  }
}

/** Bytes on disk, with indexes, of the whole database and of its largest relations. */
async function diskOf(db) {
  const [{ bytes }] = await db.query('select pg_database_size(current_database())::float8 as bytes')
  const relations = await db.query(
    `select c.relname as name, pg_total_relation_size(c.oid)::float8 as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') order by 2 desc limit 5`,
  )
  return { bytes, relations }
}

/** The key of the tree; a tree that is gone on with needs the one it began with. */
function signerIn(folder) {
  const file = join(folder, 'key.der')
  if (existsSync(file)) return signerFromPkcs8(new Uint8Array(readFileSync(file)))
  const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  writeFileSync(file, privateKeyToPkcs8(signer), { mode: 0o600 })
  return signer
}

const folder = flags.keep ?? mkdtempSync(join(tmpdir(), 'touchmark-bench-fill-'))
mkdirSync(folder, { recursive: true })
const place = join(folder, 'postgres')
const embedded = await startEmbeddedPostgres({ dataDir: place })
const db = await openDatabase({ url: embedded.url, poolSize: 8, waitMs: 30_000 })
const results = []
try {
  await migrate(db)
  const options = { db, kind: 'signature-v2', origin: 'fill.example.com', signer: signerIn(folder), clock: systemClock }
  for (const size of sizes) {
    say(`filling to ${size.toLocaleString('en')} entries`)
    const before = (await diskOf(db)).bytes
    const { rate: fillRate, filled } = await fillTo(size, options)
    await db.query('checkpoint').catch(() => undefined)
    const disk = await diskOf(db)
    // Of the small entries alone: what a measurement appends is larger and does not count.
    const bytesPerEntry = filled === 0 ? undefined : (disk.bytes - before) / filled
    say(`measuring at ${size.toLocaleString('en')}`)
    const runs = []
    for (let i = 0; i < Number(flags.repetitions); i++) runs.push(await measure(options))
    results.push({
      size: Number(size),
      fillRate,
      bytesPerEntry,
      relations: disk.relations,
      ...medianRun(runs),
      cpuUs: medianRun(runs.map((run) => ({ ...run, per_second: run.cpuUs }))).perSecond,
    })
  }
} finally {
  await db.close()
  await embedded.stop()
  if (flags.keep === undefined) {
    await removeEmbeddedPostgres(place)
    rmSync(folder, { recursive: true, force: true })
  }
}

if (flags.json) console.log(JSON.stringify({ node: process.version, seconds, results }))
else {
  console.log(
    `\nNode ${process.version}; ${CALLERS} callers of the ledger's append, entries of ${USUAL_BYTES} bytes into a tree of entries of ${SMALL_BYTES} bytes; medians of ${flags.repetitions} times ${seconds} s\n`,
  )
  const rows = results.map(({ size, perSecond, p50Ms, p99Ms, cpuUs, fillRate, bytesPerEntry }) => [
    size.toLocaleString('en'),
    ...[perSecond, p50Ms, p99Ms, cpuUs, fillRate, bytesPerEntry].map(number),
  ])
  console.log(table([['tree', 'per second', 'P50 ms', 'P99 ms', 'CPU us', 'filled per s', 'bytes per entry'], ...rows]))
  const [first, last] = [results[0], results.at(-1)]
  if (results.length > 1)
    console.log(
      `\nlargest against smallest: throughput ${number(last.perSecond / first.perSecond)}x (wanted 0.8 and more), P99 ${number(last.p99Ms / first.p99Ms)}x (wanted 1.3 and less)`,
    )
}
