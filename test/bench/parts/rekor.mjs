// Rekor v2 on a POSIX file system, from where `peers install` put it, with a store and a key of its own: nothing else of the reference stack runs beside it.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../interop/stack.mjs'

/** The binary, or undefined when the peers are not installed. */
export function rekorBinary() {
  const places = [process.env.PEERS_DIR, process.env.TMPDIR && join(process.env.TMPDIR, 'touchmark-peers')]
  const all = [...places, '/var/tmp/touchmark-peers', join(tmpdir(), 'touchmark-peers')].filter(Boolean)
  return all.map((place) => join(place, 'bin', 'rekor-tiles')).find((path) => existsSync(path))
}

/** What is measured is its fastest setting; both flags are part of the comparison. */
export const REKOR_FLAGS = ['--checkpoint-interval=100ms', '--persistent-antispam']

/** Starts it on an empty store in `folder`; resolves when it answers. */
export async function startRekor(binary, folder) {
  const store = join(folder, 'rekor')
  mkdirSync(store, { recursive: true })
  const key = join(folder, 'rekor.pem')
  execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key], {
    stdio: 'ignore',
  })
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()]
  const args = [
    'serve',
    '--hostname=localhost',
    '--http-port',
    http,
    '--grpc-port',
    grpc,
    '--http-metrics-port',
    metrics,
  ]
  const own = [`--storage-dir=${store}`, `--signer-filepath=${key}`, '--log-level=error']
  const child = spawn(binary, [...args.map(String), ...own, ...REKOR_FLAGS], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-2000)))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const url = `http://localhost:${http}`
  for (let i = 0; ; i++) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined)
    if (answer?.ok) break
    if (i === 200 || child.exitCode !== null) {
      child.kill('SIGKILL')
      throw new Error(`rekor does not start: ${errors}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(timer)
      rmSync(store, { recursive: true, force: true })
    },
  }
}
