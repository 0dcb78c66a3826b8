// `npm run bench`: our log, CA and timestamp authority beside the peers', under the same load generator, on the same machine, in one run.
// Needs the bench folder with `loadgen` and `peers` (TOUCHMARK_BENCH, or ../shared/bench beside the repository), Go, and the peers installed.
// Prints a table and, with --json, the raw figures. Figures are ratios in one run: nothing here is asserted.
//
// Example: npm run bench -- --json
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { root, startStack } from '../interop/stack.mjs'

const exec = promisify(execFile)
const bench = process.env.TOUCHMARK_BENCH ?? join(root, '..', 'shared', 'bench')
const seconds = Number(process.env.BENCH_SECONDS ?? 8)
const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const json = process.argv.includes('--json')
const withPeers = !process.argv.includes('--no-peers')
const ISSUER = '127.0.0.1:9999'

if (!existsSync(join(bench, 'loadgen'))) {
  console.error(`the load generator is not at ${bench}: set TOUCHMARK_BENCH to the folder that has loadgen and peers`)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'touchmark-bench-'))
const loadgen = join(folder, 'loadgen')
execFileSync('go', ['build', '-o', loadgen, '.'], { cwd: join(bench, 'loadgen') })

/** One run of the load generator; its own errors come back as figures, not as exceptions. */
async function load(kind, url, clients, extra = []) {
  const prepare = String(
    { log: clients === 1 ? 3_000 : 30_000, ca: clients === 1 ? 6_000 : 20_000, tsa: clients === 1 ? 15_000 : 60_000 }[
      kind
    ],
  )
  const args = [
    kind,
    '-url',
    url,
    '-c',
    String(clients),
    '-d',
    `${seconds}s`,
    '-warmup',
    '2s',
    '-prepare',
    prepare,
    ...extra,
  ]
  const { stdout } = await exec(loadgen, args, { maxBuffer: 1 << 20 }).catch((error) => error)
  return stdout ? JSON.parse(stdout) : { errors: -1, first_error: 'the load generator gave no figures' }
}

const WHAT = [
  { kind: 'log', ours: (url) => url, peer: 'http://localhost:3300', name: 'log write' },
  {
    kind: 'ca',
    ours: (url) => url,
    peer: 'http://localhost:5555',
    name: 'certificate',
    extra: ['-issuer-listen', ISSUER],
  },
  {
    kind: 'tsa',
    ours: (url) => `${url}/api/v1/timestamp`,
    peer: 'http://localhost:3304/api/v1/timestamp',
    name: 'timestamp',
  },
].filter(({ kind }) => only.length === 0 || only.includes(kind))

const figures = []
async function measure(who, urlOf) {
  for (const what of WHAT) {
    for (const clients of [1, 100]) {
      process.stderr.write(`${who}: ${what.name}, ${clients} ${clients === 1 ? 'client' : 'clients'} …\n`)
      figures.push({ who, what: what.name, clients, ...(await load(what.kind, urlOf(what), clients, what.extra)) })
    }
  }
}

const issuers = join(folder, 'issuers.yaml')
writeFileSync(
  issuers,
  `oidc-issuers:\n  http://${ISSUER}: {issuer-url: "http://${ISSUER}", client-id: sigstore, type: email}\n`,
)
const stack = await startStack(folder, ['--issuers', issuers])
try {
  await measure('touchmark', (what) => what.ours(stack.url))
} finally {
  await stack.stop()
  await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
}
const peers = join(bench, 'peers', 'peers')
if (withPeers && existsSync(peers)) {
  await exec(peers, ['up'], { env: { ...process.env, REKOR_CHECKPOINT_INTERVAL: '100ms' }, maxBuffer: 16 << 20 })
  try {
    await measure('peer', (what) => what.peer)
  } finally {
    await exec(peers, ['down']).catch(() => undefined)
  }
}
rmSync(folder, { recursive: true, force: true })

if (json) console.log(JSON.stringify({ node: process.version, cpus: cpus().length, seconds, figures }))
else {
  const cell = (value, width) => String(value).padStart(width)
  const number = (value) => (typeof value === 'number' ? (value >= 100 ? value.toFixed(0) : value.toFixed(1)) : '-')
  console.log(
    `\nNode ${process.version}, ${cpus().length} CPUs (${cpus()[0]?.model.trim()}), load generator on the same machine, ${seconds} s each\n`,
  )
  console.log(
    `${'what'.padEnd(14)}${'clients'.padStart(8)}  ${'who'.padEnd(10)}${cell('per second', 12)}${cell('P50 ms', 10)}${cell('P99 ms', 10)}${cell('errors', 8)}  ${'rate to peer'}`,
  )
  for (const row of figures) {
    const peer = figures.find(
      (other) => other.who === 'peer' && other.what === row.what && other.clients === row.clients,
    )
    const ratio = row.who === 'touchmark' && peer?.per_second ? `${(row.per_second / peer.per_second).toFixed(2)}x` : ''
    console.log(
      `${row.what.padEnd(14)}${cell(row.clients, 8)}  ${row.who.padEnd(10)}${cell(number(row.per_second), 12)}${cell(number(row.p50_ms), 10)}${cell(number(row.p99_ms), 10)}${cell(row.errors, 8)}  ${ratio}${row.first_error ? `  (${row.first_error})` : ''}`,
    )
  }
}
