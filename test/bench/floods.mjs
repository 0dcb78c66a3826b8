// `npm run bench:floods`: how long honest writers wait while others flood the log with what is refused or already there (reliability A3: P99 within twice what it was).
// Honest load and flood are processes on the same machine as the server, so what is printed is the worst of it.
//
//   --seconds N       of each run (default 4)
//   --honest N        honest writers, each with one request at a time (default 20)
//   --json
//
// Example: npm run bench:floods -- --seconds 10
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../interop/stack.mjs'
import { number, table } from './parts/figures.mjs'
import { startOurs } from './parts/ours.mjs'

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    honest: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
})
const [seconds, clients] = [Number(flags.seconds), Number(flags.honest)]
const MOST = 2
const folder = mkdtempSync(join(tmpdir(), 'touchmark-bench-floods-'))

async function load(options) {
  const driver = join(root, 'test', 'bench', 'parts', 'raw-load.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [driver, JSON.stringify(options)], {
    maxBuffer: 1 << 20,
  })
  return JSON.parse(stdout)
}

const honestly = (url) => load({ kind: 'v2', url, clients, seconds, warmup: 1, prepare: 1_500 * (seconds + 1) })

const runs = []
const system = await startOurs(folder, { workers: 2 })
try {
  const { url } = system
  await honestly(url)
  for (const kind of ['invalid', 'duplicate', 'old'])
    for (const sources of [1, 1000]) {
      process.stderr.write(`${kind}, ${sources} at once\n`)
      const alone = await honestly(url)
      // The flood begins before the honest are measured and ends after them.
      const flood = load({ kind, url, clients: sources, seconds: seconds + 6, warmup: 0 })
      const beside = await honestly(url)
      runs.push({ kind, sources, alone, beside, flood: await flood, ratio: beside.p99_ms / alone.p99_ms })
    }
} finally {
  await system.stop()
  rmSync(folder, { recursive: true, force: true })
}

if (flags.json) console.log(JSON.stringify(runs))
else {
  const rows = [['flood', 'at once', 'answered /s', 'honest /s', 'P99 ms', 'without: /s', 'P99 ms', 'times']]
  for (const { kind, sources, alone, beside, flood, ratio } of runs)
    rows.push([
      kind,
      sources,
      number(flood.per_second),
      number(beside.per_second),
      number(beside.p99_ms),
      number(alone.per_second),
      number(alone.p99_ms),
      `${number(ratio)}${ratio > MOST ? ' (more than 2)' : ''}`,
    ])
  console.log(table(rows))
  const errors = runs.reduce((sum, { alone, beside, flood }) => sum + alone.errors + beside.errors + flood.errors, 0)
  console.log(
    `\n${errors} answers that were not expected${errors > 0 ? `: ${runs.map((run) => run.flood.first_error ?? run.beside.first_error).find(Boolean)}` : ''}`,
  )
}
