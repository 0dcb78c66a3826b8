import { generateKeyPairSync, sign } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { entryRequest } from '../support/log-writer.js'
import { send, type Answer } from './support/http.js'
import {
  allSizes,
  LOG_ROUTES,
  READS,
  SEARCH,
  V1_ENTRIES,
  V1_INDEX,
  V1_RETRIEVE,
  V2_ENTRIES,
  WRITES,
  type LogRoute,
} from './support/log-routes.js'
import { drip, openRaw, statusOf, type RawConnection } from './support/raw-connection.js'
import { startInProcess, type InProcess } from './support/standalone.js'

// Reliability test A1 for every route of the logs, on the whole stack: what a client may send, and how long it may take.

jest.setTimeout(60_000)

const IDLE = Number(process.env['TOUCHMARK_TEST_IDLE'] ?? 2_000)
const connections: RawConnection[] = []
let stack: InProcess
/** The same with limits of time that a test can wait for. */
let hasty: InProcess

beforeAll(async () => {
  stack = await startInProcess()
  hasty = await startInProcess({}, { headersMs: 400, requestMs: 600, idleMs: 500, stalledMs: 5_000, checkEveryMs: 50 })
})
afterEach(() => {
  for (const { socket } of connections.splice(0)) socket.destroy()
})
afterAll(() => Promise.all([stack.close(), hasty.close()]))

function raw(to: InProcess, text: string | Uint8Array = ''): RawConnection {
  const connection = openRaw(to.port, text)
  connections.push(connection)
  return connection
}
const head = ({ method, path }: LogRoute, ...lines: string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/json', ...lines].join('\r\n')
const names = LOG_ROUTES.map((route) => [`${route.method} ${route.path.slice(0, 60)}`, route] as const)
const post = (path: string, body: string | Uint8Array, headers = {}): Promise<Answer> =>
  send(stack.url, path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

/** Nothing of it may be logged, and nothing of it may be an error of ours. */
async function changingNothing(work: () => Promise<void>): Promise<void> {
  const [before, errors] = [await allSizes(stack.url), stack.errors().length]
  await work()
  expect(await allSizes(stack.url)).toEqual(before)
  expect(stack.errors()).toHaveLength(errors)
}

const TOO_LARGE: Readonly<Record<string, [number, string]>> = {
  [V2_ENTRIES]: [400, '{"code":3,"message":"http: request body too large","details":[]}'],
  [V1_ENTRIES]: [413, '{"code":413,"message":"Request Entity Too Large"}'],
  [V1_RETRIEVE]: [413, '{"code":413,"message":"Request Entity Too Large"}'],
  [V1_INDEX]: [413, '{"code":413,"message":"Request Entity Too Large"}'],
}
const LIMIT = (path: string): number => (path === V2_ENTRIES ? 4 << 20 : 20 << 20)

describe('A1: caps', () => {
  it.each(names)('%s: headers of more than 1 MiB are a plain 431', async (_, route) => {
    const { ended } = raw(stack, `${head(route, `x-long: ${'a'.repeat((1 << 20) + 1)}`)}\r\n\r\n`)
    expect(statusOf(await ended)).toBe(431)
  })

  it.each(names)('%s: an announced body of a terabyte is answered before a byte of it has come', async (_, route) => {
    const asked = raw(stack, `${head(route, `content-length: ${2 ** 40}`)}\r\n\r\n`)
    const [answer, expected] = [await asked.head, TOO_LARGE[route.path]]
    if (expected === undefined) expect([200, 404]).toContain(statusOf(answer))
    else expect([statusOf(answer), answer.split('\r\n\r\n')[1]!.trim()]).toEqual(expected)
  })

  it.each(WRITES)('POST %s: a body over the limit that was not announced is refused', async (path) => {
    await changingNothing(async () => {
      const answer = await post(path, Buffer.alloc(LIMIT(path) + 1, 0x20), { 'transfer-encoding': 'chunked' })
      expect([answer.status, answer.text.trim()]).toEqual(TOO_LARGE[path])
    })
  })

  it.each(WRITES)('POST %s: a compressed body is not decoded, right or a bomb', async (path) => {
    const right: Readonly<Record<string, string>> = {
      [V2_ENTRIES]: entryRequest(),
      [V1_ENTRIES]: '{}',
      [V1_RETRIEVE]: '{"logIndexes":[0]}',
      [V1_INDEX]: '{"email":"a@example.com"}',
    }
    await changingNothing(async () => {
      for (const body of [gzipSync(right[path]!), gzipSync(Buffer.alloc(64 << 20))]) {
        const answer = await post(path, body, { 'content-encoding': 'gzip' })
        expect([answer.status, answer.text.length < 1000]).toEqual([400, true])
      }
    })
  })

  const deep = 100_000
  /** A body with this value where the route expects a text. */
  const within: Readonly<Record<string, (value: string) => string>> = {
    [V2_ENTRIES]: (value) => `{"hashedRekordRequestV002":{"digest":${value}}}`,
    [V1_ENTRIES]: (value) => `{"apiVersion":"0.0.1","kind":${value},"spec":{}}`,
    [V1_RETRIEVE]: (value) => `{"entryUUIDs":[${value}]}`,
    [V1_INDEX]: (value) => `{"email":${value}}`,
  }
  const values: [string, string][] = [
    ['lists in lists', '['.repeat(deep) + ']'.repeat(deep)],
    ['objects in objects', '{"spec":'.repeat(deep) + '0' + '}'.repeat(deep)],
    ['a list without an end', '['.repeat(deep)],
    ['a wide list', `[${'0,'.repeat(deep)}0]`],
    ['many members', `{${Array.from({ length: deep }, (_, i) => `"m${i}":0`).join(',')}}`],
    ['a long string', `"${'k'.repeat(3 << 20)}"`],
    ['a long number', '9'.repeat(3 << 20)],
    ['many escapes', `"${'\\u0000'.repeat(deep)}"`],
  ]
  it.each(WRITES.flatMap((path) => values.map(([what, value]) => [path, what, value] as const)))(
    'POST %s: %s for a text is bad input',
    async (path, _, value) => {
      await changingNothing(async () => {
        const answer = await post(path, within[path]!(value))
        expect([400, 422]).toContain(answer.status)
        // What was sent does not come back: no answer is an amplifier.
        expect(answer.text.length).toBeLessThan(4_000)
      })
    },
  )

  it('signatures of one envelope are capped', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const payload = Buffer.from('{}')
    const sig = sign('sha256', Buffer.from('DSSEv1 1 a 2 {}'), privateKey).toString('base64')
    const rawBytes = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    const envelope = (count: number): string =>
      JSON.stringify({
        dsseRequestV002: {
          envelope: {
            payload: payload.toString('base64'),
            payloadType: 'a',
            signatures: Array.from({ length: count }, () => ({ sig })),
          },
          verifiers: [{ publicKey: { rawBytes }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }],
        },
      })
    const statuses = []
    for (const count of [1, 11, 20_000]) statuses.push((await post(V2_ENTRIES, envelope(count))).status)
    expect(statuses).toEqual([201, 400, 400])
  })

  it('lists in a question are capped', async () => {
    const id = 'a'.repeat(64)
    const asked = async (count: number, list: string, item: unknown): Promise<number> =>
      (await post(V1_RETRIEVE, JSON.stringify({ [list]: Array.from({ length: count }, () => item) }))).status
    expect([await asked(10, 'entryUUIDs', id), await asked(11, 'entryUUIDs', id)]).toEqual([200, 422])
    expect([await asked(10, 'logIndexes', 0), await asked(11, 'logIndexes', 0)]).toEqual([200, 422])
  })

  it.each(READS.map((path) => [path.slice(0, 50), path] as const))(
    'GET %s: long paths and questions are bad input',
    async (_, path) => {
      const [bare, question] = path.split('?') as [string, string?]
      const long = 'A'.repeat(65_536)
      await changingNothing(async () => {
        for (const asked of [`${bare}/${long}`, `${bare}${long}`, `${bare}?${question ?? 'x=1'}${long}`]) {
          const answer = await send(stack.url, asked)
          expect([asked.slice(0, 40), answer.status < 500]).toEqual([asked.slice(0, 40), true])
          if (answer.status >= 400) expect(answer.text.length).toBeLessThan(4_000)
        }
      })
    },
  )

  it.each(['/api/v2/checkpoint', '/api/v2/tile/0/000.p/1', '/api/v2/tile/entries/000.p/1', '/ct/tile/0/000.p/1'])(
    'GET %s: many ranges, and odd ones, bring no more than the file',
    async (path) => {
      const whole = await send(stack.url, path)
      for (const range of [
        `bytes=${'0-,'.repeat(50_000)}0-`,
        'bytes=0-0,0-0',
        `bytes=0-${'9'.repeat(1000)}`,
        `bytes=-${'9'.repeat(15)}`,
        'bytes=5-1',
        'lines=0-',
      ]) {
        const answer = await send(stack.url, path, { headers: { range } })
        expect([200, 206]).toContain(answer.status)
        expect(answer.headers['content-type']).not.toContain('multipart')
        expect(answer.bytes.equals(whole.bytes)).toBe(true)
      }
      expect((await send(stack.url, path, { headers: { range: 'bytes=999999-' } })).status).toBe(416)
    },
  )

  it('searches no more than a page', async () => {
    expect((await send(stack.url, `${SEARCH}?identity=a&limit=101`)).status).toBe(400)
    expect((await send(stack.url, '/ct/v1/get-entries?start=0&end=9223372036854775806')).status).toBe(200)
  })
})

describe('A1: slow clients are cut off by the limits of time', () => {
  const dripping = (route: LogRoute, start: string, more: string): Promise<string> => {
    const slow = raw(hasty, head(route) + start)
    drip(slow, more, 20)
    return slow.ended
  }

  it('headers that drip, on every route', async () => {
    const answers = await Promise.all(LOG_ROUTES.map((route) => dripping(route, '\r\n', 'x: 1\r\n')))
    expect(answers.map(statusOf)).toEqual(LOG_ROUTES.map(() => 408))
  })

  it('bodies that drip, announced or not, on every route that reads one', async () => {
    const routes = WRITES.map((path) => ({ method: 'POST' as const, path }))
    const answers = await Promise.all([
      ...routes.map((route) => dripping(route, '\r\ncontent-length: 1000000\r\n\r\n{', ' ')),
      ...routes.map((route) => dripping(route, '\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n', '1\r\n \r\n')),
    ])
    expect(answers.map(statusOf)).toEqual(answers.map(() => 408))
  })

  it('bodies that drip where nobody reads them, behind the answer', async () => {
    const routes = READS.map((path) => ({ method: 'GET' as const, path }))
    const answers = await Promise.all(
      routes.map((route) => dripping(route, '\r\ncontent-length: 1000000\r\n\r\n', ' ')),
    )
    for (const answer of answers) expect([200, 404]).toContain(statusOf(answer))
  })

  it('a request line that drips, also behind a request that was answered', async () => {
    const slow = raw(hasty, 'GET /')
    drip(slow, 'a', 20)
    expect(statusOf(await slow.ended)).toBe(408)
    const second = raw(hasty, 'GET /api/v2/checkpoint HTTP/1.1\r\nhost: a\r\n\r\nGET /')
    drip(second, 'a', 20)
    expect(await second.ended).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 408 /s)
  })

  it('empty lines behind a request that was answered', async () => {
    const slow = raw(hasty, 'GET /api/v2/checkpoint HTTP/1.1\r\nhost: a\r\n\r\n')
    await slow.head
    drip(slow, '\r\n', 20)
    expect(statusOf(await slow.ended)).toBe(200)
  })

  it('leaves the others alone', async () => {
    const slow = Array.from({ length: 200 }, (_, i) => raw(hasty, `${head(LOG_ROUTES[i % LOG_ROUTES.length]!)}\r\nx`))
    const written = await Promise.all(
      Array.from({ length: 20 }, () => send(hasty.url, V2_ENTRIES, { method: 'POST', body: entryRequest() })),
    )
    expect(written.map(({ status }) => status)).toEqual(written.map(() => 201))
    await Promise.all(slow.map(({ ended }) => ended))
  })
})

describe('A1: idle connections', () => {
  const opened = (all: readonly RawConnection[]): Promise<unknown> =>
    Promise.all(all.map(({ socket }) => socket.readyState === 'open' || new Promise((done) => socket.once('connect', done)))) // prettier-ignore

  it(`${IDLE} of them keep nobody out`, async () => {
    const idle = Array.from({ length: IDLE }, (_, i) =>
      raw(stack, ['', 'GET / HTTP/1.1\r\n', 'GET /ping HTTP/1.1\r\nhost: a\r\n\r\n'][i % 3]),
    )
    await opened(idle)
    expect(await send(stack.url, '/healthz')).toMatchObject({ status: 200, text: '{"status":"SERVING"}\n' })
    expect((await send(stack.url, V2_ENTRIES, { method: 'POST', body: entryRequest() })).status).toBe(201)
    expect((await send(stack.url, '/api/v2/checkpoint')).status).toBe(200)
    expect(idle.filter(({ socket }) => socket.readyState === 'open')).toHaveLength(IDLE)
  })

  it('that never say a word are closed, and so are those that were answered', async () => {
    const silent = Array.from({ length: 200 }, () => raw(hasty))
    const answered = Array.from({ length: 200 }, () => raw(hasty, 'GET /ping HTTP/1.1\r\nhost: a\r\n\r\n'))
    expect(new Set((await Promise.all(silent.map(({ ended }) => ended))).map(statusOf))).toEqual(new Set([408]))
    expect(new Set((await Promise.all(answered.map(({ ended }) => ended))).map(statusOf))).toEqual(new Set([200]))
  })
})
