import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { checkTree } from '../check/check-tree.js'
import { createHasher } from '../hash/hasher.js'
import { StaticSource } from '../source/static-source.js'
import { MemoryLog, smallBodies } from '../testing/memory-log.js'
import { S3Server, type Fault, type S3ServerOptions } from '../testing/s3-server.js'
import { exportLog, type ExportReport } from './export-log.js'
import { parseS3Place } from './s3-place.js'
import type { S3Credentials, S3Http } from './s3-store.js'
import { S3Target } from './s3-target.js'

const START = '2026-03-01T12:00:00Z'
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const region = 'eu-central-1'

let server: S3Server
let endpoint: string
let pauses: number[]
let clock: ManualClock

async function start(options: Partial<S3ServerOptions> = {}): Promise<void> {
  server = new S3Server({
    bucket: 'logs',
    region,
    ...credentials,
    now: () => Date.parse(START),
    ...options,
  })
  endpoint = await server.listen()
}

beforeEach(async () => {
  pauses = []
  clock = new ManualClock(START)
  await start()
})
afterEach(() => server.close())

function target(http: Partial<S3Http> = {}, keys: S3Credentials = credentials, name = 's3://logs/the/log'): S3Target {
  return new S3Target(parseS3Place(name, { endpoint, region }), keys, {
    fetch: (url, init) => fetch(url, init),
    clock,
    sleep: (ms) => (pauses.push(ms), Promise.resolve()),
    random: () => 0.5,
    timeoutMs: 10_000,
    tries: 4,
    ...http,
  })
}

const logs = new Map<string, MemoryLog>()
function noteOf(log: MemoryLog, name: string): string {
  const note = `${name} ${log.size}`
  logs.set(note, log)
  return note
}

async function run(log: MemoryLog, to: S3Target = target(), name = 'log'): Promise<ExportReport> {
  return exportLog({
    read: (path) => Promise.resolve(log.files.get(path)),
    head: { origin: name, note: noteOf(log, name), size: log.size, root: log.root },
    logId: new Uint8Array(32),
    verify: (note) => {
      if (!note.startsWith(`${name} `)) throw new Error('another log')
      return logs.get(note)!
    },
    target: to,
    parallel: 4,
  })
}

/** Reads the bucket as everybody does: its objects alone. */
async function checkBucket(log: MemoryLog): Promise<void> {
  const read = (path: string): Promise<Uint8Array | undefined> => {
    const body = server.objects.get(`the/log/${path}`)?.body
    return Promise.resolve(body && new Uint8Array(body))
  }
  const { differences } = await checkTree({
    source: new StaticSource(read, 4),
    hasher: createHasher(0),
    size: log.size,
    root: log.root,
  })
  expect(differences).toEqual([])
  expect(server.objects.get('the/log/checkpoint')?.body.toString()).toBe(noteOf(log, 'log'))
}

const of = (size: number): MemoryLog => new MemoryLog(smallBodies(size))
const error = (status: number, code = 'Nothing', headers = {}): Fault => ({ kind: 'status', status, code, headers })

describe('an export to an S3-compatible store', () => {
  it.each([1, 256, 257, 700])('of %i entries is a log of its own', async (size) => {
    await run(of(size))
    await checkBucket(of(size))
    expect(server.requests.filter((line) => line.startsWith('PUT')).at(-1)).toBe('PUT the/log/checkpoint')
  })

  it('gives objects the headers of the static reads', async () => {
    await run(of(300))
    for (const [key, { contentType, cacheControl }] of server.objects) {
      const tile = key.startsWith('the/log/tile/')
      expect(contentType).toBe(tile ? 'application/octet-stream' : 'text/plain; charset=utf-8')
      expect(cacheControl).toBe(tile ? 'max-age=604800,immutable' : 'no-cache')
    }
  })

  it('adds only what is new, does nothing the second time, and removes partial files that are full now', async () => {
    expect(await run(of(300))).toEqual({ size: 300n, from: 0n, files: 6 })
    server.requests.length = 0
    expect(await run(of(300))).toEqual({ size: 300n, from: 300n, files: 0 })
    expect(server.requests.filter((line) => /^(PUT|DELETE)/.test(line))).toEqual([])
    server.objects.set('the/log/tile/0/001.p/44/other', { body: Buffer.of(1), contentType: '', cacheControl: '' })
    server.objects.set('the/log/tile/0/001.p/backup', { body: Buffer.of(1), contentType: '', cacheControl: '' })
    expect((await run(of(600))).from).toBe(300n)
    await checkBucket(of(600))
    expect([...server.objects.keys()].filter((key) => key.includes('/001.p/'))).toEqual([
      'the/log/tile/0/001.p/44/other',
      'the/log/tile/0/001.p/backup',
    ])
  })

  it('never has more requests under way than copies were allowed', async () => {
    await run(of(2100))
    expect(server.busiest).toBeLessThanOrEqual(4)
  })

  it('takes a bucket without a prefix, and a session token', async () => {
    await server.close()
    await start({ sessionToken: 'FwoGZXIvYXdzEXAMPLE' })
    await run(of(10), target({}, { ...credentials, sessionToken: 'FwoGZXIvYXdzEXAMPLE' }, 's3://logs'))
    expect(server.objects.has('checkpoint')).toBe(true)
  })

  it('is readable at its older size whichever object fails, and goes on from there', async () => {
    const [small, large] = [of(300), of(700)]
    await run(small)
    for (let failing = 0; ; failing++) {
      let writes = 0
      server.fault = (method) => (method === 'PUT' && writes++ >= failing ? error(403, 'AccessDenied') : undefined)
      const done = await run(large).then(
        () => true,
        () => false,
      )
      server.fault = () => undefined
      if (done) break
      await checkBucket(small)
    }
    await checkBucket(large)
  }, 60_000)

  it('is whole when every object needs more than one try', async () => {
    const tried = new Set<string>()
    const faults: Fault[] = [error(503, 'SlowDown'), { kind: 'reset' }, { kind: 'lost' }, error(429), error(500)]
    server.fault = (method, key) => {
      if (tried.has(`${method} ${key}`)) return undefined
      tried.add(`${method} ${key}`)
      return faults[tried.size % faults.length]
    }
    await run(of(600))
    server.fault = () => undefined
    await checkBucket(of(600))
  })
})

describe('one request of it', () => {
  it('is tried again with growing pauses, a bounded number of times', async () => {
    server.fault = () => error(503, 'SlowDown')
    await expect(target().read('checkpoint')).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
    expect(server.requests).toHaveLength(4)
    expect(pauses).toEqual([200, 400, 800])
  })

  it('waits as long as the store says, and never for hours', async () => {
    const waits = ['7', '99999']
    server.fault = () => (waits.length > 0 ? error(503, 'SlowDown', { 'retry-after': waits.shift()! }) : undefined)
    expect(await target().read('checkpoint')).toBeUndefined()
    expect(pauses).toEqual([7000, 30_000])
  })

  it.each([
    [403, 'AccessDenied'],
    [400, 'InvalidRequest'],
    [301, 'PermanentRedirect'],
    [501, 'NotImplemented'],
    [409, 'Conflict'],
  ])('that is answered %i is not tried again', async (status, code) => {
    server.fault = () => error(status, code, { location: `${endpoint}/elsewhere` })
    await expect(target().has('checkpoint')).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    [409, 'ConditionalRequestConflict'],
    [400, 'RequestTimeout'],
  ])('that is answered %i %s is tried again', async (status, code) => {
    let first = true
    server.fault = () => (first ? ((first = false), error(status, code)) : undefined)
    await target().write('tile/0/000', Buffer.from('a'))
    expect(server.requests).toHaveLength(2)
  })

  it('is signed anew for each try', async () => {
    let tries = 0
    server.fault = (_method, _key, headers) => {
      expect(headers['x-amz-date']).toBe(tries++ === 0 ? '20260301T120000Z' : '20260301T121000Z')
      return tries === 1 ? error(503) : undefined
    }
    await target({ sleep: () => Promise.resolve(clock.advance(600_000)) }).has('checkpoint')
    expect(tries).toBe(2)
  })

  it('does not take a cut-off answer for an object', async () => {
    await target().write('tile/0/000', Buffer.alloc(100_000, 7))
    let first = true
    server.fault = () => (first ? ((first = false), { kind: 'truncated' }) : undefined)
    expect(await target().read('tile/0/000')).toHaveLength(100_000)
    server.fault = () => ({ kind: 'truncated' })
    await expect(target().read('tile/0/000')).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
  })

  it('ends in time when the rest of an answer does not come', async () => {
    server.fault = () => ({ kind: 'slow' })
    await expect(target({ timeoutMs: 50, tries: 2 }).read('checkpoint')).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
    expect(server.requests).toHaveLength(2)
  })

  it('refuses an answer that is larger than any file of a log', async () => {
    server.objects.set('the/log/checkpoint', { body: Buffer.alloc(18 << 20), contentType: '', cacheControl: '' })
    await expect(target().read('checkpoint')).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['another secret', { ...credentials, secretAccessKey: 'another' }, 'SignatureDoesNotMatch'],
    ['an unknown key', { ...credentials, accessKeyId: 'AKIDOTHER' }, 'InvalidAccessKeyId'],
  ])('shows the code of a refusal and nothing of the request: %s', async (_what, keys, code) => {
    const failed = await target({}, keys)
      .read('checkpoint')
      .catch((thrown: unknown) => thrown)
    expect(failed).toMatchObject({ code: 'AUDIT_EXPORT_FAILED', details: { found: code } })
    const shown = JSON.stringify([String(failed), failed, (failed as Error).stack])
    expect(shown).not.toContain(keys.accessKeyId)
    expect(shown).not.toContain(keys.secretAccessKey)
    expect(shown).not.toContain('Signature=')
  })

  it('says that the clock is wrong', async () => {
    clock.advance(3_600_000)
    await expect(target().read('checkpoint')).rejects.toMatchObject({ details: { found: 'RequestTimeTooSkewed' } })
  })

  it('does not take a bucket that is missing, or an answer that is no list, for an empty one', async () => {
    await expect(target({}, credentials, 's3://other').read('checkpoint')).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
    await expect(target({}, credentials, 's3://other').isEmpty()).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
    server.fault = () => error(200)
    await expect(target().isEmpty()).rejects.toThrowCode('AUDIT_EXPORT_FAILED')
  })
})

describe('what is in the bucket already', () => {
  it('is refused when it is of another log, newer, or no export', async () => {
    await run(of(300))
    const before = new Map(server.objects)
    await expect(run(of(300), undefined, 'other')).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    await expect(run(of(299))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect(server.objects).toEqual(before)
    server.objects.clear()
    server.objects.set('the/log/notes.txt', { body: Buffer.from('mine'), contentType: '', cacheControl: '' })
    await expect(run(of(300))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect([...server.objects.keys()]).toEqual(['the/log/notes.txt'])
  })

  it('is left alone beside the prefix', async () => {
    server.objects.set('the/logbook', { body: Buffer.from('mine'), contentType: '', cacheControl: '' })
    await run(of(300))
    await checkBucket(of(300))
  })

  it('is not overwritten with other bytes', async () => {
    const [one, other] = [Buffer.from('one'), Buffer.from('other')]
    await target().write('tile/0/000', one)
    await target().write('tile/0/000', one)
    await expect(target().write('tile/0/000', other)).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect(server.objects.get('the/log/tile/0/000')?.body).toEqual(one)
  })

  it('stays when the permission to remove is missing', async () => {
    await run(of(300))
    server.fault = (method) => (method === 'DELETE' ? error(403, 'AccessDenied') : undefined)
    await run(of(600))
    await checkBucket(of(600))
    expect(server.objects.has('the/log/tile/0/001.p/44')).toBe(true)
    expect(server.requests.filter((line) => line.startsWith('DELETE'))).toHaveLength(1)
  })
})

/** The checkpoint that another exporter writes at a moment of its choice. */
function overtake(when: (method: string, key: string, seen: number) => boolean): void {
  let seen = 0
  server.fault = (method, key) => {
    if (key === 'the/log/checkpoint' && when(method, key, ++seen)) {
      server.objects.set(key, { body: Buffer.from(noteOf(of(900), 'log')), contentType: '', cacheControl: '' })
    }
    return undefined
  }
}

describe('two exporters', () => {
  it('do not undo each other, where the store heeds conditions', async () => {
    await run(of(300))
    overtake((method) => method === 'PUT')
    const to = target()
    await expect(run(of(600), to)).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect(to.guarded).toBe(true)
    expect(server.objects.get('the/log/checkpoint')?.body.toString()).toBe('log 900')
  })

  it('do not undo each other at the first checkpoint either', async () => {
    overtake((method) => method === 'PUT')
    await expect(run(of(600))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect(server.objects.get('the/log/checkpoint')?.body.toString()).toBe('log 900')
  })

  it.each(['ignored', 'unknown'] as const)('are told when conditions are %s there', async (conditions) => {
    await server.close()
    await start({ conditions })
    const to = target()
    await run(of(300), to)
    expect(to.guarded).toBe(false)
    await checkBucket(of(300))
    await run(of(600))
    await checkBucket(of(600))
    // What can be seen before the write is seen.
    overtake((method, _key, seen) => method === 'GET' && seen === 2)
    await expect(run(of(700))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect(server.objects.get('the/log/checkpoint')?.body.toString()).toBe('log 900')
  })

  it('take a checkpoint for written when only the answer was lost', async () => {
    await run(of(300))
    let first = true
    server.fault = (method, key) =>
      first && method === 'PUT' && key.endsWith('checkpoint') ? ((first = false), { kind: 'lost' }) : undefined
    await run(of(600))
    await checkBucket(of(600))
    expect(first).toBe(false)
  })
})
