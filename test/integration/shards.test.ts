import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import {
  freezeShard,
  listShards,
  rollover,
  rolloverV1,
  startStandalone,
  type Standalone,
} from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { createLogger } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { isWithin, parseSigningConfig, parseTrustedRoot, selectServices, type TrustedRoot } from '@touchmark/trust'
import { entryRequest, writeEntry, type Acknowledged } from '../support/log-writer.js'
import { readWholeLog } from '../support/read-log.js'
import { freePort } from '../support/stack.js'
import { runTouchmark, type Outcome } from '../support/touchmark.js'
import { send } from './support/http.js'
import { configOf, PASSPHRASE, temporaryFolder } from './support/standalone.js'

jest.setTimeout(120_000)
const logger = createLogger({ level: 'silent' })
const WHO = 'ada@example.com'

let db: TestDatabase
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let port: number
let otherPort: number
/** Two processes' worth of servers on one database and one keys folder. */
let servers: Standalone[] = []
const first = (): string => `http://127.0.0.1:${port}`
const second = (): string => `http://127.0.0.2:${port}`
const third = (): string => `http://127.0.0.3:${port}`
const maintenance = () => ({
  data: join(folder.path, 'data'),
  databaseUrl: db.url,
  passphraseFile: join(folder.path, 'passphrase'),
})

async function start(): Promise<void> {
  for (const wanted of [port, otherPort]) {
    const options = { port: wanted, publicUrl: first(), listen: '0.0.0.0', demoIssuer: 'on' } as const
    servers.push(await startStandalone(configOf(db, maintenance().data, options), { clock: systemClock, logger }))
  }
}
async function stop(): Promise<void> {
  await Promise.all(servers.map((server) => server.stop(1000)))
  servers = []
}

beforeAll(async () => {
  ;[db, folder, port, otherPort] = await Promise.all([testDatabase(), temporaryFolder(), freePort(), freePort()])
  writeFileSync(maintenance().passphraseFile, PASSPHRASE, { mode: 0o600 })
  await start()
})
afterAll(async () => {
  await stop()
  await db.drop()
  await folder.remove()
})

const touchmark = (...args: string[]): Promise<Outcome> =>
  runTouchmark(args, { environment: { TOUCHMARK_HOME: join(folder.path, 'home'), TOUCHMARK_INSTANCE: first() } })

async function done(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
  return stdout
}

async function sign(name: string): Promise<void> {
  const file = join(folder.path, name)
  writeFileSync(file, `content of ${name}\n`)
  const token = join(folder.path, 'token')
  writeFileSync(token, await done(touchmark('token', '--email', WHO)), { mode: 0o600 })
  await done(touchmark('sign', file, '--identity-token', token))
}

/** As anybody verifies who was handed the newest trusted root, offline. */
async function verify(...names: string[]): Promise<void> {
  const root = join(folder.path, 'root.json')
  writeFileSync(root, (await send(first(), '/trust/trusted_root.json')).text)
  const who = ['--certificate-identity', WHO, '--certificate-oidc-issuer', `${first()}/oidc`]
  const files = names.map((name) => join(folder.path, name))
  const stdout = await done(touchmark('verify', ...files, ...who, '--trusted-root', root))
  expect(stdout.match(/^verified /gm)).toHaveLength(names.length)
}

/** The origin in the checkpoint of the log that a bundle's entry is in. */
async function shardOf(name: string): Promise<string> {
  const bundle = JSON.parse(await readFile(join(folder.path, `${name}.sigstore.json`), 'utf8')) as {
    verificationMaterial: { tlogEntries: { inclusionProof: { checkpoint: { envelope: string } } }[] }
  }
  return bundle.verificationMaterial.tlogEntries[0]!.inclusionProof.checkpoint.envelope.split('\n')[0]!
}

async function trustedRoot(at = first()): Promise<TrustedRoot> {
  return parseTrustedRoot((await send(at, '/trust/trusted_root.json')).bytes)
}

async function logNow(at = first()): Promise<string> {
  const config = parseSigningConfig((await send(at, '/trust/signing_config.v0.2.json')).bytes)
  return selectServices(config.rekorTlogUrls, { versions: [2], now: systemClock.now() })[0].url
}

async function originAt(url: string, host?: string): Promise<string> {
  const headers = host === undefined ? {} : { host }
  return (await send(url, '/api/v2/checkpoint', { headers })).text.split('\n')[0]!
}

async function until(what: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await what())) {
    if (performance.now() > end) throw new Error('it did not come to be')
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** Writers that go on until they are stopped; `urlOf` is asked before each entry. */
function writers(count: number, urlOf: (writer: number) => Promise<string>) {
  const written: { url: string; entry: Acknowledged | undefined; status?: number }[] = []
  let running = true
  const work = Promise.all(
    Array.from({ length: count }, async (_, writer) => {
      while (running) {
        const url = await urlOf(writer)
        written.push({ url, entry: await writeEntry(url) })
      }
    }),
  )
  return {
    written,
    stop: async () => {
      running = false
      await work
    },
  }
}

interface V1Entry {
  readonly body: string
  readonly integratedTime: number
  readonly logID: string
  readonly logIndex: number
  readonly verification: { readonly signedEntryTimestamp: string }
}
type V1Entries = Readonly<Record<string, V1Entry>>
interface V1Answer {
  readonly status: number
  readonly entryId?: string
  readonly entry?: V1Entry
}
interface V1Info {
  readonly treeID: string
  readonly treeSize: number
  readonly inactiveShards: { readonly treeID: string; readonly treeSize: number }[] | null
}

const writerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Writes a fresh hashedrekord 0.0.1. */
async function writeV1(url: string): Promise<V1Answer> {
  const data = randomBytes(32)
  const pem = writerKey.publicKey.export({ type: 'spki', format: 'pem' })
  const spec = {
    data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') } },
    signature: {
      content: signBytes('sha256', data, writerKey.privateKey).toString('base64'),
      publicKey: { content: Buffer.from(pem).toString('base64') },
    },
  }
  const answer = await send(url, '/api/v1/log/entries', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec }),
  })
  if (answer.status !== 201) return { status: answer.status }
  const [[entryId, entry]] = Object.entries(JSON.parse(answer.text) as V1Entries) as [[string, V1Entry]]
  return { status: 201, entryId, entry }
}

/** The signed timestamp of an entry, under a log of the trusted root, within the period of its key. */
function assertPromise({ body, integratedTime, logID, logIndex, verification }: V1Entry, root: TrustedRoot): void {
  const log = root.tlogs.find(({ logId }) => Buffer.from(logId).toString('hex') === logID)!
  const key = createPublicKey({ key: Buffer.from(log.publicKey.rawBytes), format: 'der', type: 'spki' })
  const signed = JSON.stringify({ body, integratedTime, logID, logIndex })
  const promise = Buffer.from(verification.signedEntryTimestamp, 'base64')
  expect(verifyBytes('sha256', Buffer.from(signed), key, promise)).toBe(true)
  expect(isWithin(new Date(integratedTime * 1000), log.publicKey.validFor)).toBe(true)
}

async function assertAllIn(url: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const log = await readWholeLog(url)
  for (const { index, leafHash, size, rootHash } of acknowledged) {
    expect([log.leafHashes[Number(index)], log.rootAt(size)]).toEqual([leafHash, rootHash])
  }
}

describe('shards', () => {
  it('an instance begins with one, and every host is its own', async () => {
    await sign('one')
    expect(await shardOf('one')).toBe('127.0.0.1')
    expect(await originAt(first(), 'nobody.example')).toBe('127.0.0.1')
    expect(await originAt(second())).toBe('127.0.0.1')
    const shards = await listShards(maintenance())
    expect(shards.map(({ origin, state, keyName }) => [origin, state, keyName])).toEqual([
      ['127.0.0.1', 'active', 'signature-log'],
      [expect.stringMatching(/^127\.0\.0\.1 - [1-9]\d*$/), 'active', 'signature-log-v1'],
      ['127.0.0.1/ct', 'active', 'certificate-log'],
    ])
  })

  it('a rollover refuses nobody: old clients go on writing to the old shard, new ones to the new', async () => {
    // A half reads the signing config before each entry, the other has read it once; both processes are written to.
    const load = writers(8, async (writer) => (writer % 2 === 0 ? logNow() : first()))
    await until(async () => load.written.length > 40)
    const shard = await rollover({ ...maintenance(), publicUrl: second() }, systemClock)
    expect(shard).toMatchObject({ origin: '127.0.0.2', state: 'active', size: 1n, keyName: 'signature-log-2' })
    await until(async () => load.written.filter(({ url }) => url === second()).length > 40)
    await load.stop()
    expect(load.written.filter(({ entry }) => entry === undefined)).toEqual([])
    for (const url of [first(), second()]) {
      const acknowledged = load.written.filter((one) => one.url === url).map(({ entry }) => entry!)
      expect(acknowledged.length).toBeGreaterThan(20)
      // Writers that were quicker than this process found the old shard under the new name, as under any.
      const known = new Set((await readWholeLog(url)).leafHashes)
      await assertAllIn(
        url,
        acknowledged.filter(({ leafHash }) => known.has(leafHash)),
      )
      const elsewhere = acknowledged.filter(({ leafHash }) => !known.has(leafHash))
      if (url === first()) expect(elsewhere).toEqual([])
      else await assertAllIn(first(), elsewhere)
    }
  })

  it('the trust documents follow in every process, and name both', async () => {
    const other = `http://127.0.0.1:${otherPort}`
    await until(async () => (await logNow(other)) === second())
    for (const at of [first(), other]) {
      const root = await trustedRoot(at)
      // API v1, then the shards of API v2: the one that is written to comes last.
      expect(root.tlogs.map(({ baseUrl }) => baseUrl)).toEqual([first(), first(), second()])
      expect(root.tlogs.map(({ publicKey }) => publicKey.validFor.end)).toEqual([undefined, undefined, undefined])
    }
    expect((await send(other, '/trust/client_trust_config.json')).text).toBe(
      (await send(first(), '/trust/client_trust_config.json')).text,
    )
    const config = parseSigningConfig((await send(first(), '/trust/signing_config.v0.2.json')).bytes)
    const [old, current] = config.rekorTlogUrls
    expect([old!.url, old!.validFor!.end]).toEqual([first(), current!.validFor!.start])
    expect([current!.url, current!.validFor!.end]).toEqual([second(), undefined])
  })

  it('requests find their shard by its stored name, in every process', async () => {
    for (const at of [first(), `http://127.0.0.1:${otherPort}`]) {
      expect(await originAt(at, '127.0.0.2')).toBe('127.0.0.2')
      expect(await originAt(at, `127.0.0.2:${port}`)).toBe('127.0.0.2')
      expect(await originAt(at, '127.0.0.1')).toBe('127.0.0.1')
      expect(await originAt(at, 'nobody.example')).toBe('127.0.0.2')
    }
  })

  it('bundles of both shards verify with the newest trusted root', async () => {
    writeFileSync(join(folder.path, 'two'), 'not signed yet')
    const token = join(folder.path, 'token')
    const { code, stderr } = await touchmark('sign', join(folder.path, 'two'), '--identity-token', token)
    expect([code, stderr]).toEqual([5, expect.stringContaining('CLI_TRUST_CHANGED')])
    const replace = /--replace (sha256:[0-9a-f]{64})/.exec(stderr)![1]!
    await done(touchmark('trust', 'use', first(), '--replace', replace))
    await sign('two')
    expect(await shardOf('two')).toBe('127.0.0.2')
    await verify('one', 'two')
  })

  it('refuses a host name that a shard has, and a name that is none', async () => {
    for (const publicUrl of [first(), second(), `https://127.0.0.2`]) {
      await expect(rollover({ ...maintenance(), publicUrl }, systemClock)).rejects.toThrowCode(
        'STANDALONE_SHARD_EXISTS',
      )
    }
    await expect(rollover({ ...maintenance(), publicUrl: 'no url' }, systemClock)).rejects.toThrowCode(
      'STANDALONE_CONFIG',
    )
  })

  it('does not freeze the shard that clients write to, nor what is no shard', async () => {
    const freeze = (origin: string) => freezeShard({ ...maintenance(), origin }, systemClock)
    await expect(freeze('127.0.0.2')).rejects.toThrowCode('STANDALONE_SHARD_NEEDED')
    await expect(freeze('127.0.0.9')).rejects.toThrowCode('STANDALONE_SHARD_UNKNOWN')
    await expect(freeze('127.0.0.1/ct')).rejects.toThrowCode('STANDALONE_SHARD_UNKNOWN')
    const untold = await touchmark('log', 'freeze', '127.0.0.1')
    expect([untold.code, untold.stderr]).toEqual([2, expect.stringContaining('--yes')])
  })

  it('a freeze under load keeps every acknowledged entry and refuses every later one, in every process', async () => {
    const other = `http://127.0.0.1:${otherPort}`
    const load = writers(6, async (writer) => (writer % 2 === 0 ? first() : other))
    await until(async () => load.written.length > 30)
    const frozen = await freezeShard({ ...maintenance(), origin: '127.0.0.1' }, systemClock)
    expect(frozen).toMatchObject({ state: 'frozen', until: expect.any(Date) })
    await until(async () => load.written.slice(-12).every(({ entry }) => entry === undefined))
    await load.stop()
    await assertAllIn(
      first(),
      load.written.flatMap(({ entry }) => entry ?? []),
    )
    const log = await readWholeLog(first())
    expect(log.size).toBe(frozen.size)
    for (const at of [first(), other]) {
      const answer = await send(at, '/api/v2/log/entries', { method: 'POST', body: entryRequest() })
      expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
        405,
        'text/plain; charset=utf-8',
        'This log has been frozen, please switch to the latest log.\n',
      ])
      expect((await send(at, '/api/v2/log/entries', { method: 'POST', body: '{' })).status).toBe(400)
      const line = (await send(at, '/api/v2/checkpoint')).text.split('\n')[3]
      expect(line).toMatch(/^Log frozen — \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}$/)
      expect((await send(at, '/readyz')).status).toBe(200)
    }
    expect(await writeEntry(second())).toBeDefined()
  })

  it('what the frozen shard holds verifies as before, and its key has an end', async () => {
    await verify('one', 'two')
    const proven = await done(touchmark('log', 'prove', '--bundle', join(folder.path, 'one.sigstore.json')))
    expect(proven).toContain('Log frozen — ')
    const shards = await listShards(maintenance())
    const [, old, current] = (await trustedRoot()).tlogs
    expect(old!.publicKey.validFor.end!.getTime()).toBeGreaterThan(shards[0]!.until!.getTime())
    expect(current!.publicKey.validFor.end).toBeUndefined()
  })

  it('freezing twice changes nothing', async () => {
    const before = (await send(first(), '/api/v2/checkpoint')).text
    const again = await freezeShard({ ...maintenance(), origin: '127.0.0.1' }, systemClock)
    expect(again.state).toBe('frozen')
    expect((await send(first(), '/api/v2/checkpoint')).text).toBe(before)
  })

  it('a prepared shard is trusted and not written to, until it begins', async () => {
    const publicUrl = third()
    const prepared = await rollover({ ...maintenance(), publicUrl, prepare: true }, systemClock)
    expect(prepared).toMatchObject({ origin: '127.0.0.3', state: 'prepared', from: undefined })
    await until(async () => (await trustedRoot()).tlogs.length === 4)
    expect((await trustedRoot()).tlogs.map(({ baseUrl }) => baseUrl)).toEqual([first(), third(), first(), second()])
    expect(await logNow()).toBe(second())
    await expect(rollover({ ...maintenance(), publicUrl, prepare: true }, systemClock)).rejects.toThrowCode(
      'STANDALONE_SHARD_EXISTS',
    )
    const text = await done(
      touchmark(
        'log',
        'rollover',
        '--public-url',
        publicUrl,
        '--json',
        ...['--data', maintenance().data, '--database-url', db.url],
        ...['--passphrase-file', maintenance().passphraseFile],
      ),
    )
    expect(JSON.parse(text)).toMatchObject({ origin: '127.0.0.3', state: 'active', keySha256: prepared.keySha256 })
    await until(async () => (await logNow()) === third())
    expect(await writeEntry(third())).toBeDefined()
  })

  it('a rollover of API v1 refuses nobody, and its indexes go on without a gap', async () => {
    const other = `http://127.0.0.1:${otherPort}`
    const [before] = (await trustedRoot()).tlogs
    const next = await rolloverV1({ ...maintenance(), prepare: true }, systemClock)
    expect(next).toMatchObject({ kind: 'signature-v1', state: 'prepared', size: 1n, keyName: 'signature-log-v1-2' })
    await expect(rolloverV1({ ...maintenance(), prepare: true }, systemClock)).rejects.toThrowCode(
      'STANDALONE_SHARD_EXISTS',
    )
    await until(async () => (await trustedRoot()).tlogs.filter(({ baseUrl }) => baseUrl === first()).length === 3)
    const written: V1Answer[] = []
    let running = true
    const work = Array.from({ length: 6 }, async (_, writer) => {
      while (running) written.push(await writeV1(writer % 2 === 0 ? first() : other))
    })
    await until(async () => written.length > 30)
    const begun = await rolloverV1(maintenance(), systemClock)
    expect(begun).toMatchObject({ origin: next.origin, state: 'active' })
    const so = written.length
    await until(async () => written.length > so + 30)
    running = false
    await Promise.all(work)
    expect(written.filter(({ status }) => status !== 201)).toEqual([])
    const info = JSON.parse((await send(other, '/api/v1/log')).text) as V1Info
    const [old] = info.inactiveShards!
    expect(`127.0.0.1 - ${info.treeID}`).toBe(next.origin)
    // Both trees begin with an entry of their own.
    const all = old!.treeSize + info.treeSize
    const indexes = written.map(({ entry }) => entry!.logIndex).sort((a, b) => a - b)
    expect(indexes).toEqual(Array.from({ length: all }, (_, i) => i).filter((i) => i !== 0 && i !== old!.treeSize))
    const root = await trustedRoot()
    for (const { entry, entryId } of written) {
      const inOld = entry!.logIndex < old!.treeSize
      expect(
        entryId!.startsWith(
          BigInt(inOld ? old!.treeID : info.treeID)
            .toString(16)
            .padStart(16, '0'),
        ),
      ).toBe(true)
      assertPromise(entry!, root)
      const again = JSON.parse((await send(first(), `/api/v1/log/entries/${entryId}`)).text) as V1Entries
      expect(again[entryId!]).toMatchObject({ logIndex: entry!.logIndex, integratedTime: entry!.integratedTime })
      assertPromise(again[entryId!]!, root)
    }
    const ended = root.tlogs.find(({ logId }) => Buffer.compare(logId, before!.logId) === 0)!
    expect(ended.publicKey.validFor.end).toBeInstanceOf(Date)
    await expect(freezeShard({ ...maintenance(), origin: next.origin }, systemClock)).rejects.toThrowCode(
      'STANDALONE_SHARD_NEEDED',
    )
  })

  it('a restart keeps all of it', async () => {
    const before = await Promise.all([first(), second(), third()].map((url) => originAt(url)))
    const documents = (await send(first(), '/trust/client_trust_config.json')).text
    await stop()
    await start()
    expect(await Promise.all([first(), second(), third()].map((url) => originAt(url)))).toEqual(before)
    expect((await send(first(), '/trust/client_trust_config.json')).text).toBe(documents)
    expect(await writeEntry(first())).toBeUndefined()
    expect(await writeEntry(second())).toBeDefined()
    expect(await writeEntry(third())).toBeDefined()
    await verify('one', 'two')
    const listed = await done(touchmark('log', 'shards', '--data', maintenance().data, '--database-url', db.url))
    expect(listed.match(/^origin/gm)).toHaveLength(6)
    expect(listed.match(/^ +state +frozen$/gm)).toHaveLength(2)
  })
})
