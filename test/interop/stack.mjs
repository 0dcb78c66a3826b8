// Starts `touchmark up` in a folder of its own and collects what the clients need.
import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const bin = join(root, 'apps', 'cli', 'bin', 'touchmark.mjs')

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

export async function startStack(folder, args = []) {
  const port = await freePort()
  const child = spawn(process.execPath, [bin, 'up', '--port', String(port), '--data', join(folder, 'data'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)))
  await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => /^ready /m.test((text += chunk)) && resolve())
    child.once('exit', (code) => reject(new Error(`the stack ended with ${code}: ${errors}`)))
  })
  const url = `http://localhost:${port}`
  mkdirSync(join(folder, 'trust'), { recursive: true })
  const file = {}
  for (const name of ['trusted_root.json', 'signing_config.v0.2.json', 'client_trust_config.json']) {
    const answer = await fetch(`${url}/trust/${name}`)
    file[name] = join(folder, 'trust', name)
    writeFileSync(file[name], Buffer.from(await answer.arrayBuffer()))
  }
  const environment = { ...process.env, TOUCHMARK_HOME: join(folder, 'home'), TOUCHMARK_INSTANCE: url }
  return {
    url,
    bin,
    issuer: `${url}/oidc`,
    root: file['trusted_root.json'],
    config: file['signing_config.v0.2.json'],
    trust: file['client_trust_config.json'],
    touchmark: (...args) => exec(process.execPath, [bin, ...args], { env: environment, maxBuffer: 16 << 20 }),
    environment,
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit')
        child.once('exit', resolve)
        child.kill('SIGTERM')
      }),
  }
}
