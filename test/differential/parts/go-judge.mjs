// sigstore-go as a process of its own: one line in, one line out (sigstore-go/main.go). Built from the module proxy into the interop cache.
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../../interop/clients.mjs'

const run = promisify(execFile)
const source = fileURLToPath(new URL('../sigstore-go', import.meta.url))

/** Resolves with the program's path; rejects with ENOENT when Go is not installed. What was built of the same source is used again. */
export async function buildGoJudge() {
  const hash = createHash('sha256')
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, name)))
  const target = join(cacheFolder, 'bin', `differential-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(target)) return target
  mkdirSync(join(cacheFolder, 'bin'), { recursive: true })
  const building = `${target}.${process.pid}`
  await run('go', ['build', '-trimpath', '-o', building, '.'], {
    cwd: source,
    env: { ...process.env, GOFLAGS: '-mod=readonly' },
    maxBuffer: 64 << 20,
  })
  renameSync(building, target)
  return target
}

const base64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

export class GoJudge {
  #child
  #waiting = []
  #ended

  constructor(program, subjects) {
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] })
    let errors = ''
    this.#child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-2000)))
    this.#child.stdin.on('error', () => {})
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { accepted = false, error } = JSON.parse(line)
      this.#waiting.shift().resolve(accepted ? { accepted } : { accepted, why: error })
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        for (const { reject } of this.#waiting) reject(new Error(`sigstore-go ended with ${code}: ${errors}`))
        resolve()
      })
    })
    for (const { name, trustedRoot, artifact, identity, issuer, key } of subjects)
      this.#send({ subject: name, trustedRoot: base64(trustedRoot), artifact: base64(artifact), identity, issuer, key })
  }

  #send(line) {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`)
  }

  /** Resolves with a verdict; calls are answered in order. */
  judge(subject, bytes) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#send({ of: subject, bundle: base64(bytes) })
    })
  }

  async end() {
    this.#child.stdin.end()
    await this.#ended
  }
}
