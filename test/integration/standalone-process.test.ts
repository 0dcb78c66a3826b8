import { chownSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { removeEmbeddedPostgres } from '@touchmark/app-standalone'
import { writeEntry, type Acknowledged } from '../support/log-writer.js'
import { readWholeLog } from '../support/read-log.js'
import { freePort, startStack, type StackProcess } from '../support/stack.js'
import { Browser, send } from './support/http.js'
import { temporaryFolder } from './support/standalone.js'

// The built program (`npm run build`), as a person starts it, on the embedded PostgreSQL.

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

/** Logs in at the demonstration issuer and trades the code for tokens: something secret for the log to keep out. */
async function someTokens(url: string): Promise<string[]> {
  const browser = new Browser(url)
  const verifier = 'v'.repeat(43)
  const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url')
  const query = `response_type=code&client_id=sigstore&redirect_uri=http%3A%2F%2Flocalhost%2Fauth%2Fcallback&scope=openid+email&state=s&nonce=n&code_challenge=${challenge}&code_challenge_method=S256`
  const form = await browser.follow(await browser.visit(`/oidc/auth?${query}`))
  const done = await browser.follow(await browser.fill(form, { email: 'dev@example.com', name: 'Dev' }))
  const code = new URL(done.headers.location!).searchParams.get('code')!
  const fields = {
    grant_type: 'authorization_code',
    client_id: 'sigstore',
    code,
    redirect_uri: 'http://localhost/auth/callback',
    code_verifier: verifier,
  }
  const answer = await browser.visit('/oidc/token', fields)
  const { id_token: id, access_token: access } = JSON.parse(answer.text) as { id_token: string; access_token: string }
  await send(url, '/api/v1/signingCert', { method: 'POST', headers: { authorization: `Bearer ${id}` }, body: '{}' })
  return [code, id, access]
}

/** Command lines of everything that runs, as `ps` shows them to anybody. */
function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .join('\n')
}

/** Starts, and gives what is printed when that is refused. */
async function refusal(options: Parameters<typeof startStack>[0]): Promise<{ exitCode: number; stderr: string }> {
  try {
    const started = await startStack(options)
    await started.kill()
  } catch (error) {
    return error as { exitCode: number; stderr: string }
  }
  throw new Error('it started')
}

describe('touchmark up', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let data: string
  let port: number
  let stack: StackProcess
  let trust: string
  const acknowledged: Acknowledged[] = []
  const environment = { DATABASE_URL: undefined, TOUCHMARK_PASSPHRASE: undefined }
  const start = (): Promise<StackProcess> => startStack({ port, data, environment, args: ['--log-level', 'debug'] })
  const trustedRoot = async (): Promise<string> => (await send(stack.url, '/trust/trusted_root.json')).text

  beforeAll(async () => {
    ;[folder, port] = await Promise.all([temporaryFolder(), freePort()])
    // A folder that others can pass through, so that as root the database may stay inside.
    await chmod(folder.path, 0o711)
    data = join(folder.path, 'data')
    stack = await start()
    trust = await trustedRoot()
  }, 120_000)
  afterAll(async () => {
    await stack.stop()
    await removeEmbeddedPostgres(join(data, 'postgres'))
    await folder.remove()
  }, 60_000)

  it('says that it is ready, and how to go on', () => {
    expect(stack.stdout()).toMatch(new RegExp(`^Touchmark is set up: http://localhost:${port}$`, 'm'))
    expect(stack.stdout()).toMatch(new RegExp(`^ready http://localhost:${port}$`, 'm'))
  })

  it('keeps everything inside its folder, each part with its mode', () => {
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
    expect(existsSync(join(data, 'postgres', 'cluster', 'data', 'PG_VERSION'))).toBe(true)
    expect([mode(data), mode(join(data, 'keys')), mode(join(data, 'passphrase'))]).toEqual(['711', '700', '600'])
  })

  it('shows nothing secret in ps and in its logs (K1)', async () => {
    const passwords = JSON.parse(readFileSync(join(data, 'postgres', 'cluster', 'passwords.json'), 'utf8')) as object
    const passphrase = readFileSync(join(data, 'passphrase'), 'utf8').trim()
    const secrets = [passphrase, ...Object.values(passwords).map(String), ...(await someTokens(stack.url))]
    expect(secrets.every((secret) => secret.length > 20)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const serverLog = readFileSync(join(data, 'postgres', 'server.log'), 'utf8')
    const shown = existsSync('/proc/self/cmdline') ? commandLines() : ''
    const all = [stack.stdout(), stack.stderr(), serverLog, shown].join('\n')
    expect(all).toContain('"msg":"request"')
    for (const secret of secrets)
      expect([all.includes(secret), all.includes(secret.slice(0, 20))]).toEqual([false, false])
    expect(all).not.toMatch(/PRIVATE KEY|eyJ/)
  })

  it('a second process on the same data is refused, and told who has it', async () => {
    const { exitCode, stderr } = await refusal({ port: await freePort(), data, environment })
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(new RegExp(`another process uses this database: ${stack.child.pid}`))
    expect(stderr).toContain('stop it first, or choose another data folder')
    expect(stderr).toContain('POSTGRES_IN_USE')
    expect(await trustedRoot()).toBe(trust)
  }, 60_000)

  it('ends with 0 when it is told to with nothing to do', async () => {
    expect(await stack.stop()).toBe(0)
  }, 60_000)

  it('another port is refused, with the URL that it has', async () => {
    const { exitCode, stderr } = await refusal({ port: await freePort(), data, environment })
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('STANDALONE_PUBLIC_URL_DIFFERS')
    expect(stderr).toContain(`Start it as http://localhost:${port}`)
  }, 60_000)

  it('starts again with the same keys', async () => {
    const began = performance.now()
    stack = await start()
    process.stderr.write(`second start: ${((performance.now() - began) / 1000).toFixed(1)} s\n`)
    expect(stack.stdout()).toContain('Touchmark is back')
    expect(await trustedRoot()).toBe(trust)
  }, 60_000)

  it.each([1, 64])(
    'SIGTERM with %i writers: ends with 0, and every acknowledged entry is in the log',
    async (writers) => {
      let running = true
      const { url } = stack
      const work = Array.from({ length: writers }, async () => {
        while (running) {
          const entry = await writeEntry(url)
          if (entry === undefined) return
          acknowledged.push(entry)
        }
      })
      const before = acknowledged.length
      while (acknowledged.length < before + writers) await new Promise((resolve) => setTimeout(resolve, 5))
      const code = await stack.stop()
      running = false
      await Promise.all(work)
      expect(code).toBe(0)
      expect(stack.stderr()).not.toMatch(/"level":(50|60)/)
      stack = await start()
      const log = await readWholeLog(stack.url)
      expect(acknowledged.filter(({ index, leafHash }) => log.leafHashes[Number(index)] !== leafHash)).toEqual([])
      expect(acknowledged.filter(({ size, rootHash }) => log.rootAt(size) !== rootHash)).toEqual([])
      expect(await trustedRoot()).toBe(trust)
    },
    120_000,
  )

  it('told twice, it ends at once, and its database is taken up again', async () => {
    stack.child.kill('SIGTERM')
    stack.child.kill('SIGTERM')
    await stack.stop()
    stack = await start()
    expect(await trustedRoot()).toBe(trust)
  }, 60_000)
})

describe('touchmark up as a normal user', () => {
  it('works in a folder that only that user may enter', async () => {
    const reachable = (statSync(process.cwd()).mode & 0o005) === 0o005
    if (!isRoot || !reachable) {
      process.stderr.write('not run as root in a folder for all: the normal user is the one who runs these tests\n')
      return
    }
    const folder = await temporaryFolder()
    chownSync(folder.path, NOBODY, NOBODY)
    await chmod(folder.path, 0o700)
    const [port, data] = [await freePort(), join(folder.path, 'data')]
    const environment = { DATABASE_URL: undefined, HOME: folder.path }
    const stack = await startStack({ port, data, environment, user: NOBODY })
    expect(await writeEntry(stack.url)).toBeDefined()
    expect(statSync(join(data, 'postgres', 'cluster', 'data')).uid).toBe(NOBODY)
    expect(await stack.stop()).toBe(0)
    await folder.remove()
  }, 120_000)
})
