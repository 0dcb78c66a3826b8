// `npm run bench:log`: the log beside Rekor v2 on POSIX in its fastest setting, one after the other on the same machine, both durable and with
// deduplication on, under the same load generator with a new key and certificate in every request and its answers checked.
// Needs the bench folder (TOUCHMARK_BENCH, or ../shared/bench beside the repository), Go, and for the comparison `peers install`.
//
//   --short         one repetition of 3 s and fewer client counts: does it run?
//   --json          the figures as one JSON document
//   --no-peers      ours alone
//   --no-node26     not on Node 26
//   --seconds N, --repetitions N
//
// Example: npm run bench:log -- --seconds 4 --no-node26
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../interop/stack.mjs'
import { bestRun, medianRun, number, table } from './parts/figures.mjs'
import { benchFolder, buildLoadgen, writeLoad } from './parts/load.mjs'
import { memoryOf, peakMemory } from './parts/memory.mjs'
import { otherNode } from './parts/other-node.mjs'
import { startOurs } from './parts/ours.mjs'
import { REKOR_FLAGS, rekorBinary, startRekor } from './parts/rekor.mjs'

const exec = promisify(execFile)
const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    'no-node26': { type: 'boolean', default: false },
    seconds: { type: 'string' },
    repetitions: { type: 'string' },
  },
})
const seconds = Number(flags.seconds ?? (flags.short ? 3 : 8))
const repetitions = Number(flags.repetitions ?? (flags.short ? 1 : 3))
const SATURATING = flags.short ? [100, 500] : [100, 500, 1_000, 2_000, 3_000]
const OVERLOAD_FACTOR = 10
/** Below the connections that either server and this machine's descriptors allow. */
const MOST_CLIENTS = 8_000

const say = (text) => process.stderr.write(`${text}\n`)
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const folder = mkdtempSync(join(tmpdir(), 'touchmark-bench-log-'))
const loadgen = buildLoadgen(benchFolder(), folder)

/** All client counts against one running server. */
async function levels(name, url, pid) {
  const runs = []
  const peak = { services: 0, database: 0 }
  for (const clients of [1, ...SATURATING]) {
    const work = () => writeLoad(loadgen, url, { clients, seconds })
    const { result, peak: now } = await peakMemory(pid, work)
    for (const part of ['services', 'database']) peak[part] = Math.max(peak[part], now[part])
    const error = result.first_error ? ` (${result.first_error.slice(0, 120)})` : ''
    say(
      `  ${name}, ${clients} clients: ${number(result.per_second)}/s, P50 ${number(result.p50_ms)} ms, P99 ${number(result.p99_ms)} ms, ${result.errors} errors${error}`,
    )
    runs.push(result)
  }
  return { runs, peak }
}

/** Starts a system anew for each repetition and takes medians. */
async function measure(name, start) {
  const taken = []
  for (let i = 1; i <= repetitions; i++) {
    say(`${name}, repetition ${i} of ${repetitions}`)
    const system = await start()
    try {
      taken.push(await levels(name, system.url, system.pid))
    } finally {
      await system.stop()
    }
  }
  const runs = taken[0].runs.map((_, level) => medianRun(taken.map((one) => one.runs[level])))
  const peak = (part) => Math.max(...taken.map((one) => one.peak[part]))
  return {
    name,
    runs,
    best: bestRun(runs.slice(1)),
    memoryMiB: { services: peak('services'), database: peak('database') },
  }
}

const raw = async (options) => {
  const driver = join(root, 'test', 'bench', 'parts', 'raw-load.mjs')
  const { stdout } = await exec(process.execPath, [driver, JSON.stringify(options)], { maxBuffer: 1 << 20 })
  return JSON.parse(stdout)
}

/** Both write APIs with one driver and the same entries; undefined with a reason when API v1 is not served. */
async function compareApis(url) {
  if ((await fetch(`${url}/api/v1/log`)).status !== 200) return { skipped: 'API v1 is not served' }
  const runs = { v1: [], v2: [] }
  for (let i = 0; i < repetitions; i++)
    for (const kind of ['v2', 'v1']) runs[kind].push(await raw({ kind, url, clients: 100, seconds }))
  const [v1, v2] = [medianRun(runs.v1), medianRun(runs.v2)]
  return { v1, v2, ratio: v1.perSecond / v2.perSecond }
}

/** Ten times the clients that saturate it for 10 s, then how long until 100 clients are answered as before. */
async function overload(url, normal, saturating) {
  const clients = Math.min(MOST_CLIENTS, OVERLOAD_FACTOR * saturating)
  const during = await writeLoad(loadgen, url, { clients, seconds: flags.short ? 4 : 10, prepare: 60_000 })
  const ended = performance.now()
  for (;;) {
    const now = await writeLoad(loadgen, url, { clients: 100, seconds: 1, warmup: 0, prepare: 8_000 })
    const afterS = (performance.now() - ended) / 1000
    if (now.errors === 0 && now.p50_ms <= 1.5 * normal.p50Ms)
      return {
        clients,
        answered: during.per_second,
        refused: during.http_503 ?? 0,
        p99Ms: during.p99_ms,
        recoveredAfterS: afterS,
      }
    if (afterS > 60)
      return {
        clients,
        answered: during.per_second,
        refused: during.http_503 ?? 0,
        p99Ms: during.p99_ms,
        recoveredAfterS: undefined,
      }
    await pause(250)
  }
}

/** What only reads: cached tiles, and the audit of the whole log over HTTP. */
async function reads(url) {
  const tiles = []
  for (let i = 0; i < repetitions; i++)
    tiles.push(await raw({ kind: 'tile', url, clients: 16, seconds: Math.min(seconds, 5) }))
  const size = Number((await (await fetch(`${url}/api/v2/checkpoint`)).text()).split('\n')[1])
  const bin = join(root, 'apps', 'cli', 'bin', 'touchmark.mjs')
  const began = performance.now()
  const audit = await exec(
    process.execPath,
    [bin, 'log', 'fsck', '--url', `${url}/api/v2`, '--instance', url, '--json'],
    {
      maxBuffer: 64 << 20,
      env: { ...process.env, TOUCHMARK_HOME: folder },
    },
  ).then(
    () => ({ entries: size, perSecond: (1000 * size) / (performance.now() - began) }),
    (error) => ({
      skipped: `touchmark log fsck --url ended with ${error.code}: ${String(error.stderr).trim().split('\n')[0]}`,
    }),
  )
  return { tiles: medianRun(tiles), audit }
}

/** What is measured once, on an instance that has been written to. */
async function more(start, normal, saturating) {
  const system = await start()
  try {
    await writeLoad(loadgen, system.url, { clients: 100, seconds: 2 })
    const idle = memoryOf(system.pid)
    say('API v1 beside v2')
    const apis = await compareApis(system.url)
    say('overload')
    const overloaded = await overload(system.url, normal, saturating)
    say('reads')
    return { idleMiB: idle, apis, overloaded, ...(await reads(system.url)) }
  } finally {
    await system.stop()
  }
}

const report = {
  node: process.version,
  cpus: cpus().length,
  cpu: cpus()[0]?.model.trim(),
  seconds,
  repetitions,
  systems: [],
}
let count = 0
const ours = (options) => () => startOurs(join(folder, `ours-${count++}`), options)
try {
  report.systems.push(await measure('touchmark, 2 workers', ours({ workers: 2 })))
  report.systems.push(await measure('touchmark, 1 worker', ours({ workers: 1 })))
  const binary = rekorBinary()
  if (flags['no-peers']) report.peer = { skipped: '--no-peers' }
  else if (binary === undefined)
    report.peer = { skipped: 'Rekor is not installed: run `peers install` of the bench folder' }
  else report.peer = await measure('rekor v2 POSIX', () => startRekor(binary, folder))
  const [two] = report.systems
  report.more = await more(ours({ workers: 2 }), two.runs[1], two.best?.clients ?? 100)
  const newer = flags['no-node26'] || flags.short ? { reason: 'not asked for' } : otherNode(26)
  if (newer.path === undefined) report.node26 = { skipped: newer.reason }
  else
    report.node26 = await measure(`touchmark, 2 workers, Node ${newer.version}`, ours({ workers: 2, node: newer.path }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** How much better than the peer: rates are divided by its rate, its times by ours. */
function ratios(system) {
  const { peer } = report
  if (peer.runs === undefined) return []
  const [one, hundred] = [0, 1].map((level) => [system.runs[level], peer.runs[level]])
  const best = [system.best?.perSecond, peer.best?.perSecond]
  return [
    ['1 client, P50', one[1].p50Ms / one[0].p50Ms, 80],
    ['100 clients, P50', hundred[1].p50Ms / hundred[0].p50Ms, 20],
    ['100 clients, P99', hundred[1].p99Ms / hundred[0].p99Ms, 8],
    ['100 clients, throughput', hundred[0].perSecond / hundred[1].perSecond, 15],
    ['saturated, throughput', best[0] / best[1], 1.25],
  ].map(([what, ratio, goal]) => ({ what, ratio, goal, reached: ratio >= goal }))
}

const compared = [...report.systems, ...(report.node26.runs === undefined ? [] : [report.node26])]
for (const system of compared) system.ratios = ratios(system)

function print() {
  console.log(
    `\nNode ${report.node}, ${report.cpus} CPUs (${report.cpu}), load generator and database on the same machine`,
  )
  console.log(
    `${repetitions} repetitions of ${seconds} s, medians. Rekor: ${REKOR_FLAGS.join(' ')}. Ours: PostgreSQL with fsync and synchronous_commit on; every answer has its proof.\n`,
  )
  const rows = [['', 'clients', 'per second', 'P50 ms', 'P99 ms', 'errors']]
  for (const system of [...compared, ...(report.peer.runs === undefined ? [] : [report.peer])])
    for (const run of system.runs)
      rows.push([system.name, run.clients, number(run.perSecond), number(run.p50Ms), number(run.p99Ms), run.errors])
  console.log(table(rows))
  if (report.peer.skipped) console.log(`\nno comparison: ${report.peer.skipped}`)
  else {
    const against = [['times better than Rekor', 'wanted', ...compared.map(({ name }) => name)]]
    for (const [i, { what, goal }] of compared[0].ratios.entries())
      against.push([
        what,
        `${goal}x`,
        ...compared.map(({ ratios: all }) => `${number(all[i].ratio)}x${all[i].reached ? '' : ' (short)'}`),
      ])
    console.log(`\n${table(against)}`)
  }
  const { apis, overloaded, tiles, audit, idleMiB } = report.more
  const memory = ({ services, database }) => `${number(services)} MiB (PostgreSQL ${number(database)} MiB)`
  const lines = [
    ['what', 'figure'],
    ...report.systems.map(({ name, memoryMiB }) => [`memory at its peak, ${name}`, memory(memoryMiB)]),
    ['memory, idle, 2 workers', memory(idleMiB)],
    ...(report.peer.memoryMiB ? [['memory at its peak, rekor', `${number(report.peer.memoryMiB.services)} MiB`]] : []),
    [
      'API v1, 100 clients',
      apis.skipped ??
        `${number(apis.v1.perSecond)}/s, ${number(apis.ratio)} of v2 (${apis.v1.errors + apis.v2.errors} errors)`,
    ],
    [
      `overload, ${overloaded.clients} clients`,
      `${number(overloaded.answered)}/s answered, ${overloaded.refused} refused with 503, P99 ${number(overloaded.p99Ms)} ms`,
    ],
    [
      'normal again after',
      overloaded.recoveredAfterS === undefined ? 'more than 60 s' : `${number(overloaded.recoveredAfterS)} s`,
    ],
    ['tile reads', `${number(tiles.perSecond)}/s, P99 ${number(tiles.p99Ms)} ms (${tiles.errors} errors)`],
    ['audit over HTTP', audit.skipped ?? `${number(audit.perSecond)} entries/s (${audit.entries} entries)`],
    ...(report.node26.skipped ? [['Node 26', report.node26.skipped]] : []),
  ]
  console.log(`\n${table(lines)}`)
}

if (flags.json) console.log(JSON.stringify(report))
else print()
