// What one entry costs the server in CPU time, and where it goes: node test/bench/profile.mjs [--entries 12000] [--clients 100] [--svg FILE] [--json] [--workers N]
// The two threads of the process are told apart. CPU time is read from the kernel, so other work on the machine disturbs it little; the profile is V8's and says where in JavaScript the time is spent.
// With --workers 2 only the CPU time is told, of all processes together.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { number, table } from './parts/figures.mjs'
import { byPlace, flameSvg, readProfile, threadsAsOne } from './parts/flame.mjs'
import { benchFolder, buildLoadgen, writeLoad } from './parts/load.mjs'
import { cpuOf } from './parts/memory.mjs'
import { startOurs } from './parts/ours.mjs'

const { values: flags } = parseArgs({
  options: {
    entries: { type: 'string', default: '12000' },
    clients: { type: 'string', default: '100' },
    workers: { type: 'string', default: '1' },
    node: { type: 'string' },
    svg: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const [entries, clients] = [Number(flags.entries), Number(flags.clients)]
const folder = mkdtempSync(join(tmpdir(), 'touchmark-profile-'))
const loadgen = buildLoadgen(benchFolder(), folder)
const nodeFlags = flags.workers === '1' ? ['--cpu-prof', `--cpu-prof-dir=${join(folder, 'profiles')}`] : []

/** Runs until all prepared requests are used up. */
const load = (count) => writeLoad(loadgen, stack.url, { clients, seconds: 300, warmup: 0, prepare: count })

const stack = await startOurs(folder, {
  workers: Number(flags.workers),
  nodeFlags,
  ...(flags.node ? { node: flags.node } : {}),
})
let cpuUs
let result
try {
  // What is compiled, cached and connected once is not a cost of an entry.
  await load(4_000)
  const before = cpuOf(stack.pid)
  result = await load(entries)
  const after = cpuOf(stack.pid)
  cpuUs = Object.fromEntries(
    ['user', 'system', 'database'].map((part) => [part, (after[part] - before[part]) / entries]),
  )
} finally {
  await stack.stop()
}
const profiles = join(folder, 'profiles')
// CPU.DATE.TIME.PID.THREAD.NUMBER.cpuprofile: thread 0 appends and answers, the other one validates.
const files = flags.workers === '1' ? readdirSync(profiles).sort() : []
const threads = files.map((file) => ({
  name: /\.0\.\d+\.cpuprofile$/.test(file) ? 'main thread' : 'validation thread',
  tree: readProfile(JSON.parse(readFileSync(join(profiles, file), 'utf8'))),
}))
rmSync(folder, { recursive: true, force: true })

const sums = new Map()
threads.forEach(({ tree }, i) => {
  for (const [place, us] of byPlace(tree)) {
    if (!sums.has(place)) sums.set(place, Array(threads.length).fill(0))
    sums.get(place)[i] = us
  }
})
const sumOf = (parts) => parts.reduce((sum, us) => sum + us, 0)
const profiled = [...sums.values()].reduce((sum, parts) => sum + sumOf(parts), 0)
const own = cpuUs.user + cpuUs.system
// The profile also holds the start and the warm-up; its shares, not its sums, are what is told.
const rows = [...sums]
  .sort(([, a], [, b]) => sumOf(b) - sumOf(a))
  .map(([place, parts]) => [place, ...parts.map((us) => (us / profiled) * own)])
if (threads.length > 0) rows.push(['together', ...threads.map((_, i) => sumOf(rows.map((row) => row[i + 1])))])
if (threads.length > 0 && flags.svg) {
  mkdirSync(dirname(flags.svg), { recursive: true })
  writeFileSync(
    flags.svg,
    flameSvg(threadsAsOne(threads), {
      title: `POST /api/v2/log/entries, ${clients} clients, Node ${process.version}: ${own.toFixed(0)} us of CPU time an entry`,
      usPerEntry: own,
    }),
  )
}
if (flags.json) console.log(JSON.stringify({ cpuUs, rows, result }))
else {
  console.log(
    `${number(own)} us CPU an entry (user ${number(cpuUs.user)}, system ${number(cpuUs.system)}); PostgreSQL ${number(cpuUs.database)} us; ${number(result.per_second)}/s, ${result.errors} errors\n`,
  )
  const head = ['us an entry', ...threads.map(({ name }) => name)]
  if (threads.length > 0)
    console.log(table([head, ...rows.map(([place, ...parts]) => [place, ...parts.map((us) => number(us))])]))
}
