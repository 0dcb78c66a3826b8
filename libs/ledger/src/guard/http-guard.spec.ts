import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { nodeCrypto, generateSigner } from '@touchmark/crypto/node'
import { logIdOf, signCheckpoint } from '@touchmark/tlog'
import { CombinedGuard } from './combined-guard.js'
import { HttpGuard, type HttpGuardOptions } from './http-guard.js'
import { placeName } from './place-name.js'

const ORIGIN = 'log.example.com'
const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const logId = logIdOf(signer.publicKey, ORIGIN, (bytes) => nodeCrypto.hash('SHA2_256', bytes))
const CHECKPOINT = `/heads/${placeName(ORIGIN)}.checkpoint`
const GIVEN_UP = `/heads/${placeName(ORIGIN)}.given-up.json`

async function head(size: bigint) {
  const note = await signCheckpoint({ origin: ORIGIN, size, root: new Uint8Array(32), extensions: [] }, logId, signer)
  return { size, note }
}

/** A store that keeps what is put, with or without conditions, and can be made to misbehave. */
class Store {
  readonly files = new Map<string, string>()
  readonly requests: string[] = []
  etags = true
  status: number | undefined
  onPut: () => void = () => undefined
  readonly #server: Server = createServer((request, response) => {
    void read(request).then((body) => {
      const path = request.url!
      this.requests.push(`${request.method} ${path}${request.headers.authorization ? ' with token' : ''}`)
      const before = this.files.get(path)
      const tag = (text: string) => `"${nodeCrypto.hash('SHA2_256', Buffer.from(text)).join('')}"`
      if (this.status !== undefined) return response.writeHead(this.status, { location: '/elsewhere' }).end()
      if (request.method === 'GET') {
        if (before === undefined) return response.writeHead(404).end()
        return response.writeHead(200, this.etags ? { etag: tag(before) } : {}).end(before)
      }
      this.onPut()
      const now = this.files.get(path)
      const { 'if-match': match, 'if-none-match': none } = request.headers
      if (this.etags && ((none === '*' && now !== undefined) || (match !== undefined && match !== tag(now ?? '')))) {
        return response.writeHead(412).end()
      }
      this.files.set(path, body)
      return response.writeHead(204).end()
    })
  })
  url = ''

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/heads/`
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

let store: Store
beforeEach(async () => {
  store = new Store()
  await store.start()
})
afterEach(() => store.stop())

const open = (options: Partial<HttpGuardOptions> = {}): HttpGuard =>
  new HttpGuard({ url: store.url, fetch, intervalMs: 1, timeoutMs: 2_000, ...options })

describe('the guard behind an address', () => {
  it('keeps the newest head, and gives it back as it was', async () => {
    const guard = open({ token: 'secret' })
    expect(await guard.newest(ORIGIN)).toEqual([])
    for (const size of [1n, 2n, 3n]) guard.note(ORIGIN, await head(size))
    const last = await head(4n)
    guard.note(ORIGIN, last)
    await guard.close()
    expect(store.files.get(CHECKPOINT)).toBe(last.note)
    expect(await open().newest(ORIGIN)).toEqual([last])
    expect(store.requests.filter((line) => line.startsWith('PUT')).length).toBeLessThan(4)
    expect(store.requests.filter((line) => line.includes('PUT') && !line.endsWith('with token'))).toEqual([])
  })

  it.each([true, false])('never writes a smaller head over a larger one (ETags: %s)', async (etags) => {
    store.etags = etags
    const larger = await head(9n)
    store.files.set(CHECKPOINT, larger.note)
    const guard = open()
    guard.note(ORIGIN, await head(8n))
    await guard.close()
    expect([store.files.get(CHECKPOINT), guard.problem()]).toEqual([larger.note, undefined])
  })

  it('C5: looks again when somebody else wrote between its look and its writing', async () => {
    const [mine, theirs] = [await head(8n), await head(9n)]
    store.onPut = () => store.files.set(CHECKPOINT, theirs.note)
    const guard = open()
    guard.note(ORIGIN, mine)
    await guard.close()
    expect([store.files.get(CHECKPOINT), guard.problem()]).toEqual([theirs.note, undefined])
  })

  it.each([500, 403, 302])(
    'that answers %i cannot be used: a start is refused, a running log says so',
    async (status) => {
      store.status = status
      const guard = open()
      await expect(guard.newest(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_UNAVAILABLE')
      await expect(guard.givenUp(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_UNAVAILABLE')
      guard.note(ORIGIN, await head(1n))
      await guard.close()
      expect(guard.problem()).toMatch(/cannot be used/)
      expect(store.requests.filter((line) => line.includes('elsewhere'))).toEqual([])
    },
  )

  it('goes on when it is back', async () => {
    store.status = 503
    const guard = open()
    guard.note(ORIGIN, await head(1n))
    while (guard.problem() === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    store.status = undefined
    while (guard.problem() !== undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(store.files.size).toBe(1)
    await guard.close()
  })

  it('may be away at start when that was allowed, aloud; damage is damage all the same', async () => {
    store.status = 500
    const guard = open({ optional: true })
    expect([await guard.newest(ORIGIN), await guard.givenUp(ORIGIN)]).toEqual([[], undefined])
    expect(guard.problem()).toMatch(/500/)
    store.status = undefined
    store.files.set(CHECKPOINT, 'no checkpoint')
    await expect(guard.newest(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
  })

  it.each([['no checkpoint'], ['x'.repeat(20_000)], [`${ORIGIN}\n1\n`]])(
    'refuses what is no checkpoint',
    async (text) => {
      store.files.set(CHECKPOINT, text)
      await expect(open().newest(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
    },
  )

  it('keeps the record of a tree that was given up, and puts the kept head in the place of the lost one', async () => {
    const [kept, lost] = [await head(4n), await head(9n)]
    store.files.set(CHECKPOINT, lost.note)
    const tree = { origin: ORIGIN, kept: kept.note, lost: [lost.note], at: '2026-12-01T00:00:00Z' }
    const guard = open()
    await guard.giveUp(tree)
    expect([await guard.newest(ORIGIN), await guard.givenUp(ORIGIN)]).toEqual([[kept], tree])
    store.files.set(GIVEN_UP, '{}')
    await expect(guard.givenUp(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
  })
})

it('an address keeps the head of a tree that was given up and that no database has', async () => {
  const lost = await head(9n)
  store.files.set(CHECKPOINT, lost.note)
  const tree = { origin: ORIGIN, kept: '', lost: [lost.note], at: '2026-12-01T00:00:00Z' }
  const guard = open()
  await guard.giveUp(tree)
  expect([await guard.newest(ORIGIN), await guard.givenUp(ORIGIN), await guard.origins()]).toEqual([[lost], tree, []])
})

describe('several guards', () => {
  it('are one that knows what any of them knows', async () => {
    const other = new Store()
    await other.start()
    store.files.set(CHECKPOINT, (await head(4n)).note)
    other.files.set(CHECKPOINT, (await head(9n)).note)
    const guard = new CombinedGuard([open(), new HttpGuard({ url: other.url, fetch, intervalMs: 1 })])
    expect((await guard.newest(ORIGIN)).map(({ size }) => size)).toEqual([4n, 9n])
    guard.note(ORIGIN, await head(10n))
    await guard.close()
    expect((await guard.newest(ORIGIN)).map(({ size }) => size)).toEqual([10n, 10n])
    other.status = 500
    await expect(guard.newest(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_UNAVAILABLE')
    await other.stop()
  })
})
