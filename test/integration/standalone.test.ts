import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startStandalone, type Standalone, type UpOptions } from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { createLogger } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { writeEntry } from '../support/log-writer.js'
import { readWholeLog } from '../support/read-log.js'
import { freePort } from '../support/stack.js'
import { send } from './support/http.js'
import { writeIssuers } from './support/issuer.js'
import { configOf, PASSPHRASE, startInProcess, temporaryFolder, type InProcess } from './support/standalone.js'

const logger = createLogger({ level: 'silent' })
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe('a running stack', () => {
  let stack: InProcess
  beforeAll(async () => {
    stack = await startInProcess()
  }, 60_000)
  afterAll(() => stack.close())
  const metrics = async (): Promise<string> => {
    const { origin, pathname } = new URL(stack.standalone.greeting.metricsUrl)
    return (await send(origin, pathname)).text
  }

  it('is healthy, and says what it has checked', async () => {
    expect((await send(stack.url, '/healthz')).text).toBe('{"status":"SERVING"}\n')
    const logs = { 'signature log': 'ok', 'signature-v1 log': 'ok', 'certificate log': 'ok', shards: 'ok' }
    const ok = { database: 'ok', keys: 'ok', ...logs, clock: 'ok' }
    expect(JSON.parse((await send(stack.url, '/readyz')).text)).toEqual({ ready: true, checks: ok })
  })

  it('keeps secrets from other users, and lets them pass through', () => {
    expect(mode(stack.data)).toBe('711')
    expect(mode(join(stack.data, 'keys'))).toBe('700')
    const keys = readdirSync(join(stack.data, 'keys')).filter((name) => name.endsWith('.json'))
    expect(keys.filter((name) => name.endsWith('.key.json'))).toHaveLength(8)
    for (const name of keys) expect(mode(join(stack.data, 'keys', name))).toBe('600')
  })

  it.each([
    '/trust/trusted_root.json',
    '/trust/signing_config.v0.2.json',
    '/trust/client_trust_config.json',
    '/oidc/.well-known/openid-configuration',
    '/api/v2/configuration',
    '/api/v2/trustBundle',
    '/api/v1/rootCert',
    '/api/v1/timestamp/certchain',
    '/ct/v1/get-roots',
  ])('%s is the same whatever a client says the host is', async (path) => {
    const plain = await send(stack.url, path)
    expect(plain.status).toBe(200)
    const forged = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-prefix': '/evil',
      'x-original-url': '/evil',
      forwarded: 'host=evil.example',
    }
    for (const answer of [
      await send(stack.url, path, { headers: forged }),
      await send(stack.url, `https://evil.example${path}`, { headers: forged }),
    ]) {
      expect([answer.status, answer.text]).toEqual([200, plain.text])
      expect(JSON.stringify(answer.headers)).not.toContain('evil')
    }
  })

  it('names its own URL and nothing else in what it hands out', async () => {
    const urls = (text: string): string[] => [...new Set(text.match(/https?:\/\/[^"/]+/g))]
    expect(urls((await send(stack.url, '/trust/client_trust_config.json')).text)).toEqual([stack.url])
  })

  it.each([
    ['/', 404, '{"code":5,"message":"Not Found","details":[]}'],
    ['/nothing', 404, '{"code":5,"message":"Not Found","details":[]}'],
    ['/api/v2/signingCert/', 404, '{"code":5, "message":"Not Found", "details":[]}'],
    ['/api/v2/log', 404, '{"code":5,"message":"Not Found","details":[]}'],
    ['/api/v2/log/entries', 501, '{"code":12,"message":"Method Not Allowed","details":[]}'],
    ['/api/v1/timestamp/nope', 404, '{"code":404,"message":"path /api/v1/timestamp/nope was not found"}'],
    ['/api/v1/timestamp', 405, '{"code":405,"message":"method GET is not allowed, but [POST] are"}'],
    ['/metrics', 404, '{"code":5,"message":"Not Found","details":[]}'],
    ['/ping', 200, '.'],
    ['/PiNG', 200, '.'],
    ['/ping/', 404, '{"code":5,"message":"Not Found","details":[]}'],
  ])('GET %s is answered in the words of the API it belongs to', async (path, status, text) => {
    const answer = await send(stack.url, path)
    expect([answer.status, answer.text]).toEqual([status, text])
    expect(answer.headers).not.toHaveProperty('x-powered-by')
  })

  it('no odd path is an error of ours', async () => {
    const tails = [
      '',
      '/',
      '/%00',
      '/%2e%2e/x',
      '/..%2f..',
      '/0/-1',
      '/0/x001/999',
      '/99999999999999999999/0',
      "/'--",
      '/\u007f',
    ]
    const prefixes = [
      '/api/v2/tile',
      '/api/v2/tile/entries',
      '/ct/tile',
      '/ct/v1/get-entries',
      '/oidc',
      '/oidc/login',
      '/trust',
      '/api/v1',
      '/healthz',
    ]
    for (const path of prefixes.flatMap((prefix) => tails.map((tail) => encodeURI(decodeURI(prefix)) + tail))) {
      const { status } = await send(stack.url, path.replace('\u007f', '%7f'))
      expect([path, status < 500]).toEqual([path, true])
    }
    expect(stack.errors()).toEqual([])
  })

  it('has its metrics elsewhere: certificates live for years, the logs have sizes', async () => {
    const text = await metrics()
    const days = [...text.matchAll(/^touchmark_certificate_days_left\{certificate="([^"]+)"\} (\S+)$/gm)]
    expect(days.map(([, name]) => name).sort()).toEqual(['ca-intermediate', 'ca-root', 'tsa-leaf', 'tsa-root'])
    for (const [, , left] of days) expect(Number(left)).toBeGreaterThan(5 * 366)
    expect(text).toMatch(/^touchmark_log_size\{log="signature"\} 1$/m)
    expect(text).toMatch(/^touchmark_log_size\{log="certificate"\} 1$/m)
    expect(text).toMatch(/^touchmark_checkpoint_age_seconds\{log="signature"\} \d{1,3}(\.\d+)?$/m)
  })

  it('no path, method or agent of a client becomes a label (A2)', async () => {
    const labels = async (): Promise<Set<string>> =>
      new Set(
        (await metrics())
          .split('\n')
          .filter((line) => line.startsWith('touchmark_http_request_duration_seconds_count'))
          .map((line) => /api="([^"]*)",method="([^"]*)"/.exec(line)!.slice(1).join(' ')),
      )
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        send(stack.url, `${['/api/v2/tile', '/oidc', '/x', '/ct'][i % 4]}/marker-${i}`, {
          method: ['GET', 'POST', 'PROPFIND'][i % 3]!,
          headers: { 'user-agent': `marker-${i}`, host: `marker-${i}` },
        }),
      ),
    )
    const found = [...(await labels())]
    expect(found.filter((label) => label.includes('marker'))).toEqual([])
    expect(found.filter((label) => label.endsWith(' other')).length).toBeGreaterThan(0)
    expect(stack.logged().includes('marker')).toBe(false)
  })
})

describe('starting again', () => {
  let db: TestDatabase
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let data: string
  let port: number
  let trust: string
  let running: Standalone | undefined

  async function start(options: UpOptions = {}, environment: NodeJS.ProcessEnv = {}): Promise<Standalone> {
    running = await startStandalone(configOf(db, data, options, environment), { clock: systemClock, logger })
    return running
  }
  const stop = async (): Promise<void> => {
    await running?.stop(1000)
    running = undefined
  }
  /** Starts, and expects a refusal with this code that says what to do and leaves nothing open. */
  async function refused(code: string, options: UpOptions = {}, environment: NodeJS.ProcessEnv = {}): Promise<string> {
    let refusal: { code?: string; message: string; details?: { hint?: string } } | undefined
    try {
      await start(options, environment)
    } catch (error) {
      refusal = error as typeof refusal
    }
    expect(refusal?.code).toBe(code)
    const sessions = `select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name = 'touchmark'`
    for (let tries = 0; tries < 100 && (await db.query<{ open: number }>(sessions))[0]!.open > 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await db.query<{ open: number }>(sessions))[0]!.open).toBe(0)
    return `${refusal!.message} ${refusal!.details?.hint ?? ''}`
  }

  beforeAll(async () => {
    ;[db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
    data = join(folder.path, 'data')
    const { port: bound } = await start({ port })
    trust = (await send(`http://localhost:${bound}`, '/trust/trusted_root.json')).text
    await stop()
  }, 60_000)
  afterEach(stop)
  afterAll(async () => {
    await db.drop()
    await folder.remove()
  })

  it('has the same keys, certificates and log, and needs no port to know its own', async () => {
    const again = await start()
    const url = `http://localhost:${port}`
    expect([again.port, again.greeting.publicUrl, again.greeting.first]).toEqual([port, url, false])
    expect((await send(url, '/trust/trusted_root.json')).text).toBe(trust)
    const entry = await writeEntry(url)
    await stop()
    await start()
    const log = await readWholeLog(url)
    expect(log.leafHashes[Number(entry!.index)]).toBe(entry!.leafHash)
    expect(log.rootAt(entry!.size)).toBe(entry!.rootHash)
  }, 30_000)

  it('refuses another public URL, and says which one it has', async () => {
    const text = await refused('STANDALONE_PUBLIC_URL_DIFFERS', { publicUrl: 'https://other.example.com', port })
    expect(text).toContain(`http://localhost:${port}`)
    expect(text).toContain('https://other.example.com')
  })

  it('refuses another port, which would be another URL', async () => {
    const text = await refused('STANDALONE_PUBLIC_URL_DIFFERS', { port: await freePort() })
    expect(text).toContain(`Start it as http://localhost:${port}`)
  })

  it('takes another port with the public URL it has', async () => {
    const other = await freePort()
    const { port: bound } = await start({ port: other, publicUrl: `http://localhost:${port}` })
    expect(bound).toBe(other)
    expect((await send(`http://localhost:${other}`, '/trust/trusted_root.json')).text).toBe(trust)
  })

  it('refuses a wrong passphrase, and says nothing about the right one', async () => {
    const text = await refused('KEYS_PASSPHRASE_WRONG', {}, { TOUCHMARK_PASSPHRASE: 'wrong' })
    expect(text).not.toMatch(/wrong|correct horse/)
  })

  it('refuses a database of one’s own without a passphrase of one’s own', async () => {
    const text = await refused('STANDALONE_CONFIG', {}, { TOUCHMARK_PASSPHRASE: undefined })
    expect(text).toContain('TOUCHMARK_PASSPHRASE_FILE')
  })

  it('refuses a passphrase file that others can read', async () => {
    const file = join(folder.path, 'open')
    writeFileSync(file, PASSPHRASE, { mode: 0o644 })
    expect(await refused('KEYS_PERMISSIONS', { passphraseFile: file })).toContain(`chmod 600 ${file}`)
  })

  it.each([
    ['text', 'hello there'],
    ['broken YAML', 'oidc-issuers: {'],
    ['another shape', 'oidc-issuers: 5'],
  ])('refuses an issuer configuration that is %s', async (_, text) => {
    const issuers = join(folder.path, 'broken.yaml')
    writeFileSync(issuers, text)
    await refused('STANDALONE_ISSUERS_FILE', { issuers })
  })

  it('refuses a taken port', async () => {
    const other = await startInProcess()
    const text = await refused('SERVICE_PORT_TAKEN', { port: other.port, publicUrl: `http://localhost:${port}` })
    expect(text).toContain('--port')
    await other.close()
  }, 30_000)

  describe('with the keys of', () => {
    const keys = (): string => join(data, 'keys')
    const kept = (): string => join(folder.path, 'kept')
    beforeEach(() => cp(keys(), kept(), { recursive: true }))
    afterEach(async () => {
      await rm(keys(), { recursive: true, force: true })
      await rename(kept(), keys())
    })

    it('nobody: refused, and no new ones are made', async () => {
      await rm(keys(), { recursive: true })
      const text = await refused('STANDALONE_KEYS_MISSING')
      expect(text).toContain(keys())
      expect(text).toContain('Restore')
      expect(existsSync(keys())).toBe(false)
    })

    it.each(['signature-log.key.json', 'signature-log-v1.key.json', 'tsa-leaf.crt.pem'])(
      'itself, without %s: refused',
      async (name) => {
        await rm(join(keys(), name))
        await refused('STANDALONE_KEYS_MISSING')
        expect(existsSync(join(keys(), name))).toBe(false)
      },
    )

    it('itself, with the certificate of another: refused', async () => {
      await cp(join(keys(), 'ca-root.crt.pem'), join(keys(), 'tsa-root.crt.pem'))
      await refused('STANDALONE_KEY_DIFFERS')
    })

    it('another instance: refused', async () => {
      const other = await startInProcess()
      await rm(keys(), { recursive: true })
      await cp(join(other.data, 'keys'), keys(), { recursive: true })
      await other.close()
      await refused('LEDGER_KEY_MISMATCH')
    }, 30_000)
  })

  it('refuses an empty database, in which its keys would sign a second history', async () => {
    const empty = await testDatabase()
    const start = startStandalone(configOf(empty, data, { port }), { clock: systemClock, logger })
    await expect(start).rejects.toThrowCode('STANDALONE_DATABASE_EMPTY')
    expect(await empty.query('select 1 from instance')).toEqual([])
    await empty.drop()
  })

  it('starts as before after every refusal', async () => {
    await start()
    expect((await send(`http://localhost:${port}`, '/trust/trusted_root.json')).text).toBe(trust)
  })

  it('turns the demonstration issuer off beside a real one, and its tokens are worth nothing then', async () => {
    const issuers = await writeIssuers(join(folder.path, 'real.yaml'), ['https://login.invalid'])
    const { greeting } = await start({ issuers })
    expect(greeting).toMatchObject({ demo: false, loginUrl: 'https://login.invalid' })
    const url = `http://localhost:${port}`
    expect((await send(url, '/oidc/.well-known/openid-configuration')).status).toBe(404)
    expect((await send(url, '/api/v2/configuration')).text).not.toContain('/oidc')
    await stop()
    expect((await start({ issuers, demoIssuer: 'on' })).greeting.demo).toBe(true)
    expect((await send(url, '/oidc/.well-known/openid-configuration')).status).toBe(200)
  }, 30_000)
})

describe('a first start', () => {
  it('on any free port needs to know its public URL', async () => {
    const [db, folder] = await Promise.all([testDatabase(), temporaryFolder()])
    const config = configOf(db, join(folder.path, 'data'), { port: 0 })
    await expect(startStandalone(config, { clock: systemClock, logger })).rejects.toThrowCode('STANDALONE_CONFIG')
    await db.drop()
    await folder.remove()
  })

  it('of two processes at once makes one instance', async () => {
    const [db, folder] = await Promise.all([testDatabase(), temporaryFolder()])
    const config = configOf(db, join(folder.path, 'data'), { port: 0, publicUrl: 'https://touchmark.example.com' })
    const starts = await Promise.allSettled([1, 2].map(() => startStandalone(config, { clock: systemClock, logger })))
    const both = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    const trust = await Promise.all(
      both.map(async ({ port }) => (await send(`http://localhost:${port}`, '/trust/trusted_root.json')).text),
    )
    await Promise.all(both.map((standalone) => standalone.stop(1000)))
    await db.drop()
    await folder.remove()
    expect(starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as unknown] : []))).toEqual([])
    expect(trust[0]).toBe(trust[1])
    expect(both.map(({ greeting }) => greeting.first).sort()).toEqual([false, true])
  }, 60_000)
})
