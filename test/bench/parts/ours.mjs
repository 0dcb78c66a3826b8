// `touchmark up` on an embedded PostgreSQL in a folder of its own, by any Node, with any number of workers.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { freePort, root } from '../../interop/stack.mjs'

const BIN = join(root, 'apps', 'cli', 'bin', 'touchmark.mjs')

const ELSEWHERE = ['DATABASE_URL', 'TOUCHMARK_PASSPHRASE', 'TOUCHMARK_PASSPHRASE_FILE', 'NODE_OPTIONS']

/** Starts a new instance in `folder`/data; resolves when it is ready. Settings of the environment that would choose another database are left out. */
export async function startOurs(folder, { workers, node = process.execPath, nodeFlags = [], args = [] }) {
  const data = join(folder, 'data')
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const environment = { ...process.env }
  for (const name of ELSEWHERE) delete environment[name]
  const all = [...nodeFlags, BIN, 'up', '--port', String(port), '--data', data, '--workers', String(workers), ...args]
  const child = spawn(node, all, { stdio: ['ignore', 'pipe', 'pipe'], env: environment })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => /^ready /m.test((text += chunk)) && resolve())
    void ended.then((code) => reject(new Error(`touchmark up ended with ${code}: ${errors}`)))
  })
  return {
    url: `http://localhost:${port}`,
    pid: child.pid,
    errors: () => errors,
    async stop() {
      child.kill('SIGTERM')
      await ended
      await removeEmbeddedPostgres(join(data, 'postgres'))
      rmSync(data, { recursive: true, force: true })
    },
  }
}
