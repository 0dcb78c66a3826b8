// The load generator of the bench folder: built once, run with one set of flags, its figures read.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../interop/stack.mjs'

const exec = promisify(execFile)

/** The folder with `loadgen` and `peers`. Ends the process with 2 when it is not there. */
export function benchFolder() {
  const folder = process.env.TOUCHMARK_BENCH ?? join(root, '..', 'shared', 'bench')
  if (existsSync(join(folder, 'loadgen'))) return folder
  console.error(`the load generator is not at ${folder}: set TOUCHMARK_BENCH to the folder that has loadgen and peers`)
  process.exit(2)
}

/** Builds the load generator into `folder` and returns its path. */
export function buildLoadgen(bench, folder) {
  const path = join(folder, 'loadgen')
  execFileSync('go', ['build', '-o', path, '.'], { cwd: join(bench, 'loadgen') })
  return path
}

/** So many requests are signed before the clock starts that none of the servers uses them up. */
function prepared(clients, seconds) {
  return Math.ceil((clients === 1 ? 700 : 6_000) * (seconds + 2))
}

/**
 * One run against a log of API v2. Gives the generator's own figures (per_second, p50_ms, p99_ms, errors …); errors are figures too, never exceptions.
 */
export async function writeLoad(loadgen, url, { clients, seconds, warmup = 2, prepare = prepared(clients, seconds) }) {
  const flags = { url, c: clients, d: `${seconds}s`, warmup: `${warmup}s`, prepare }
  const args = Object.entries(flags).flatMap(([flag, value]) => [`-${flag}`, String(value)])
  const { stdout } = await exec(loadgen, ['log', ...args], { maxBuffer: 1 << 20 }).catch((error) => error)
  return stdout ? JSON.parse(stdout) : { clients, errors: -1, first_error: 'the load generator gave no figures' }
}
