import { createHash, randomBytes, sign } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { entryRequest } from '../support/log-writer.js'
import { forged, privateKey, publicKey, publicKeyContent, v1Request } from './support/flood-requests.js'
import { certifiedRequests } from './support/hostile-entries.js'
import { send, type Answer } from './support/http.js'
import { allSizes, SEARCH, V1_ENTRIES, V1_INDEX, V1_RETRIEVE, V2_ENTRIES, WRITES } from './support/log-routes.js'
import { startInProcess, type InProcess } from './support/standalone.js'

// Reliability tests A3 (a flood of one kind of request keeps nobody out who brings another) and A4 (the log fed with its own contents) on the whole stack.
// Counts and order, never times.

jest.setTimeout(60_000)

let stack: InProcess
beforeAll(async () => {
  stack = await startInProcess()
})
afterAll(() => stack.close())

const json = { 'content-type': 'application/json' }
const post = (path: string, body: string | Uint8Array): Promise<Answer> =>
  send(stack.url, path, { method: 'POST', body, headers: json })

/** The same over connections that are kept. */
function postOver(agent: Agent, path: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${stack.url}${path}`, { method: 'POST', agent, headers: json }, (response) => {
      response.on('error', reject).on('end', () => resolve(response.statusCode!)).resume() // prettier-ignore
    })
    sent.on('error', reject).end(body)
  })
}

/** Senders that go on until they are told to stop; how each of their requests ended. */
function flood(connections: number, path: string, body: () => string) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const ended = new Map<number, number>()
  let running = true
  // Several wait on each connection, so that one stands in front of whoever comes.
  const senders = Array.from({ length: Math.max(16, connections) }, async () => {
    while (running) {
      const status = await postOver(agent, path, body())
      ended.set(status, (ended.get(status) ?? 0) + 1)
    }
  })
  return {
    ended,
    async begun(): Promise<void> {
      while ([...ended.values()].reduce((sum, count) => sum + count, 0) < 2 * senders.length)
        await new Promise((resolve) => setTimeout(resolve, 5))
    },
    async stop(): Promise<void> {
      running = false
      await Promise.all(senders)
      agent.destroy()
    },
  }
}

/** Brings so many new entries to both APIs and gives how they ended. */
async function honest(count: number): Promise<number[]> {
  const bodies = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? [V2_ENTRIES, entryRequest()] : [V1_ENTRIES, v1Request()])) // prettier-ignore
  return Promise.all(bodies.map(async ([path, body]) => (await post(path!, body!)).status))
}

describe('A3: a flood keeps no new entry out', () => {
  const known = entryRequest()
  const knownV1 = v1Request()
  const old = Array.from({ length: 100 }, () => entryRequest())
  let turn = 0
  beforeAll(async () => {
    const first = [post(V2_ENTRIES, known), post(V1_ENTRIES, knownV1), ...old.map((body) => post(V2_ENTRIES, body))]
    expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([201]))
  })

  it.each(
    [1, 50].flatMap((connections): [string, number, string, () => string, number[]][] => [
      ['duplicates of one entry', connections, V2_ENTRIES, () => known, [201, 503]],
      ['old entries', connections, V2_ENTRIES, () => old[turn++ % old.length]!, [201, 503]],
      ['duplicates, API v1', connections, V1_ENTRIES, () => knownV1, [409, 503]],
      ['invalid signatures', connections, V2_ENTRIES, forged, [400]],
      ['invalid signatures, API v1', connections, V1_ENTRIES, () => v1Request(false), [400]],
      ['questions', connections, V1_INDEX, () => '{"email":"a@example.com"}', [200, 503]],
    ]),
  )('%s, over %i connections', async (_, connections, path, body, answers) => {
    const before = await allSizes(stack.url)
    const standing = flood(connections, path, body)
    await standing.begun()
    const written = [...(await honest(10)), ...(await honest(10))]
    await standing.stop()
    expect(written).toEqual(written.map(() => 201))
    for (const status of standing.ended.keys()) expect(answers).toContain(status)
    const after = await allSizes(stack.url)
    expect([after.v2 - before.v2, after.v1 - before.v1]).toEqual([10, 10])
    expect(stack.errors()).toEqual([])
  })

  it('of invalid signatures takes no place in the queue: it is answered while nothing can be appended', async () => {
    const client = await stack.db.withClient(async (held) => {
      await held.query('begin')
      // What every append waits for.
      await held.query('select id from logs for update')
      const waiting = honest(6)
      let answered = 0
      void waiting.then(() => (answered = 6))
      const refused = await Promise.all(
        Array.from({ length: 400 }, async (_, i) =>
          i % 2 === 0 ? (await post(V2_ENTRIES, forged())).status : (await post(V1_ENTRIES, v1Request(false))).status,
        ),
      )
      expect(new Set(refused)).toEqual(new Set([400]))
      expect(answered).toBe(0)
      await held.query('rollback')
      return { waiting }
    })
    expect(await client.waiting).toEqual([201, 201, 201, 201, 201, 201])
  })
})

describe('A4: the log is fed with its own contents', () => {
  it('and takes none of it for a new entry', async () => {
    const [v2, v1] = [await post(V2_ENTRIES, entryRequest()), await post(V1_ENTRIES, v1Request())]
    expect([v2.status, v1.status]).toEqual([201, 201])
    const size = (await allSizes(stack.url)).v2
    const width = size % 256
    const path = size < 256 ? `000.p/${width}` : `000`
    const v1Entry = Object.values(JSON.parse(v1.text) as Record<string, { body: string; verification: unknown }>)[0]!
    const v1Body = Buffer.from(v1Entry.body, 'base64')
    const v2Entry = JSON.parse(v2.text) as { canonicalizedBody: string; inclusionProof: unknown }
    const contents = [
      ...(await Promise.all(
        [
          '/api/v2/checkpoint',
          `/api/v2/tile/entries/${path}`,
          `/api/v2/tile/0/${path}`,
          '/api/v1/log',
          '/api/v1/log/publicKey',
          '/ct/v1/get-entries?start=0&end=0',
          '/ct/v1/get-sth',
          '/ct/tile/entries/000.p/1',
          '/trust/trusted_root.json',
        ].map(async (from) => {
          const answer = await send(stack.url, from)
          expect([from, answer.status]).toEqual([from, 200])
          return answer.bytes
        }),
      )),
      v2.bytes,
      v1.bytes,
      Buffer.from(v2Entry.canonicalizedBody, 'base64'),
      Buffer.from(JSON.stringify(v2Entry.inclusionProof)),
      Buffer.from(JSON.stringify(v1Entry)),
      Buffer.from(JSON.stringify(v1Entry.verification)),
    ]
    const before = await allSizes(stack.url)
    for (const content of contents) {
      for (const to of WRITES) {
        const { status } = await post(to, content)
        // The two that ask ignore what they do not know, as the reference does, and find nothing by it.
        expect([200, 400, 422]).toContain(status)
        if (to === V2_ENTRIES || to === V1_ENTRIES) expect(status).not.toBe(200)
      }
    }
    // A stored entry of API v1 is a request for itself: it is known.
    expect((await post(V1_ENTRIES, v1Body)).status).toBe(409)
    expect((await post(V1_RETRIEVE, `{"entries":[${v1Body.toString()}]}`)).status).toBe(200)
    expect((await post(V2_ENTRIES, v1Body)).status).toBe(400)
    expect(await allSizes(stack.url)).toEqual(before)
    expect(stack.errors()).toEqual([])
  })

  it('and entries that would grow beyond what a bundle can hold are refused', async () => {
    const before = await allSizes(stack.url)
    const data = randomBytes(8)
    const content = sign('sha256', data, privateKey).toString('base64')
    const digest = createHash('sha256').update(data).digest()
    const long = Buffer.alloc(70_000, 0x41).toString('base64')
    const bombs = [
      [V2_ENTRIES, { hashedRekordRequestV002: { digest: digest.toString('base64'), signature: { content, verifier: { x509Certificate: { rawBytes: long }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' } } } }], // prettier-ignore
      [V2_ENTRIES, { hashedRekordRequestV002: { digest: digest.toString('base64'), signature: { content: long, verifier: { publicKey: { rawBytes: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' } } } }], // prettier-ignore
      [V1_ENTRIES, { apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data: { hash: { algorithm: 'sha256', value: 'a'.repeat(100_000) } }, signature: { content, publicKey: { content: publicKeyContent } } } }], // prettier-ignore
    ] as const
    for (const [path, bomb] of bombs) expect([400, 422]).toContain((await post(path, JSON.stringify(bomb))).status)
    expect(await allSizes(stack.url)).toEqual(before)
    expect(stack.errors()).toEqual([])
  })

  it('and a name that everybody has is found a page at a time, by so many at once as there is room for', async () => {
    const identity = 'everybody@example.com'
    for (let i = 0; i < 120; i += 20)
      await Promise.all(Array.from({ length: 20 }, async () => post(V2_ENTRIES, (await certifiedRequests(identity, 7n)).v2))) // prettier-ignore
    const page = async (after = '') => {
      const answer = await send(stack.url, `${SEARCH}?identity=${identity}&limit=100${after}`)
      return { status: answer.status, ...(JSON.parse(answer.text) as { hits: { logIndex: string }[]; next?: string }) }
    }
    const all = async (): Promise<string[]> => {
      const [first, found] = [await page(), [] as string[]]
      expect(first.hits.length).toBeLessThanOrEqual(100)
      for (let now = first; ; now = await page(`&after=${encodeURIComponent(now.next)}`)) {
        found.push(...now.hits.map(({ logIndex }) => logIndex))
        if (now.next === undefined) return found
      }
    }
    while ((await all()).length < 120) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(new Set(await all()).size).toBe(120)
    const crowd = await Promise.all(
      Array.from({ length: 300 }, () => send(stack.url, `${SEARCH}?identity=${identity}`)),
    )
    const statuses = crowd.map(({ status }) => status)
    for (const { status, headers } of crowd) if (status === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0) // prettier-ignore
    expect([...new Set(statuses)].sort()).toEqual([200, 503])
    const ids = await Promise.all(Array.from({ length: 300 }, () => post(V1_INDEX, `{"email":"${identity}"}`)))
    expect([...new Set(ids.map(({ status }) => status))].sort()).toEqual([200, 503])
    expect(await honest(4)).toEqual([201, 201, 201, 201])
    expect(stack.errors()).toEqual([])
  })
})
