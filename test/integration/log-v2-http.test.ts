import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { openLog, type Log } from '@touchmark/ledger'
import { leafHash, rootFromInclusionProof, verifyConsistency } from '@touchmark/merkle'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { decodeEntryBundle, parseCheckpoint, parseSignedNote, verifyCheckpoint } from '@touchmark/tlog'
import { serveLog, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'

interface Vector {
  name: string
  client?: string
  request: { method: string; path: string; headers: Record<string, string>; body?: string; bodyBase64?: string }
  response: { status: number; headers: Record<string, string>; body: string }
  note?: string
  loggedReason?: string
  canonicalBody?: string
}
interface EntryAnswer {
  logIndex: string
  logId: { keyId: string }
  kindVersion: { kind: string; version: string }
  integratedTime: string
  inclusionPromise: null
  inclusionProof: {
    logIndex: string
    rootHash: string
    treeSize: string
    hashes: string[]
    checkpoint: { envelope: string }
  }
  canonicalizedBody: string
}

const folder = join(process.cwd(), 'test/vectors/rekor-v2')
const read = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const unbase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const client = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const origin = 'log.example.com'
let db: TestDatabase
let log: Log
let server: LogServer

beforeAll(async () => {
  db = await testDatabase()
  log = await openLog({ db, kind: 'signature-v2', origin, signer, clock: systemClock })
  server = await serveLog({ log })
}, 60_000)
afterAll(async () => {
  await server.close()
  await log.close()
  await db.drop()
})

const send = ({ request }: Pick<Vector, 'request'>): Promise<Answer> =>
  server.call(request.path, {
    method: request.method,
    headers: request.headers,
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { body: bodyOf(request) }),
  })
const bodyOf = (request: Vector['request']): Uint8Array =>
  request.bodyBase64 === undefined ? Buffer.from(request.body ?? '') : unbase64(request.bodyBase64)
const post = (body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> =>
  server.call('/api/v2/log/entries', { method: 'POST', body, headers })
const sizeNow = async (): Promise<bigint> => (await log.checkpoint()).size

async function requestFor(text: string): Promise<string> {
  const artifact = Buffer.from(text)
  const verifier = { publicKey: { rawBytes: base64(client.publicKey.spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  const digest = base64(nodeCrypto.hash('SHA2_256', artifact))
  return JSON.stringify({
    hashedRekordRequestV002: { digest, signature: { content: base64(await client.sign(artifact)), verifier } },
  })
}

/** All that log-v2.md §5 promises of a success, the proof and the checkpoint included. */
function expectEntry(answer: Answer): EntryAnswer {
  expect(answer.status).toBe(201)
  expect(answer.headers['content-type']).toBe('application/json')
  expect(answer.headers['content-length']).toBe(String(answer.bytes.length))
  expect(answer.text.endsWith('}')).toBe(true)
  const entry = answer.json<EntryAnswer>()
  expect(Object.keys(entry)).toEqual([
    ...['logIndex', 'logId', 'kindVersion', 'integratedTime', 'inclusionPromise', 'inclusionProof'],
    'canonicalizedBody',
  ])
  const proof = entry.inclusionProof
  expect(Object.keys(proof)).toEqual(['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint'])
  expect([entry.integratedTime, entry.inclusionPromise, proof.logIndex]).toEqual(['0', null, entry.logIndex])
  expect(entry.logId).toEqual({ keyId: base64(nodeCrypto.hash('SHA2_256', signer.publicKey.spki)) })
  // Some clients fail on a proof without hashes; the genesis entry sees to it that there is none.
  expect(proof.hashes.length).toBeGreaterThan(0)
  const checkpoint = verifyCheckpoint(
    proof.checkpoint.envelope,
    { origin, key: signer.publicKey, logId: unbase64(entry.logId.keyId) },
    nodeCrypto,
  )
  expect([base64(checkpoint.root), checkpoint.size.toString()]).toEqual([proof.rootHash, proof.treeSize])
  const root = rootFromInclusionProof({
    leafHash: leafHash(unbase64(entry.canonicalizedBody)),
    index: BigInt(entry.logIndex),
    size: checkpoint.size,
    proof: proof.hashes.map(unbase64),
  })
  expect(base64(root)).toBe(proof.rootHash)
  return entry
}

const notToCopy = (vector: Vector): boolean => vector.note?.includes('refused from v2.4.1 on') === true
const vectors = [
  ...read<{ entries: Vector[] }>('entries.json').entries,
  ...read<Vector[]>('accepted.json').filter((vector) => !notToCopy(vector)),
  ...read<Vector[]>('dsse.json').filter((vector) => vector.response.status === 201),
  ...read<Vector[]>('clients.json').map((vector) => ({ ...vector, name: vector.client! })),
]

describe('POST /api/v2/log/entries, accepted', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('logs and proves: %s', async (_, vector) => {
    const entry = expectEntry(await send(vector))
    if (vector.canonicalBody !== undefined) {
      expect(Buffer.from(entry.canonicalizedBody, 'base64').toString()).toBe(vector.canonicalBody)
    }
  })

  it('answers a repeated request with the entry it has, a fresh proof and X-Log-Index', async () => {
    const body = await requestFor('said twice')
    const first = await post(body)
    expect(first.headers['x-log-index']).toBeUndefined()
    await post(await requestFor('something between'))
    const size = await sizeNow()
    const again = await post(body)
    const [before, after] = [expectEntry(first), expectEntry(again)]
    expect(again.headers['x-log-index']).toBe(before.logIndex)
    expect([after.logIndex, after.canonicalizedBody]).toEqual([before.logIndex, before.canonicalizedBody])
    expect(BigInt(after.inclusionProof.treeSize)).toBeGreaterThan(BigInt(before.inclusionProof.treeSize))
    expect(await sizeNow()).toBe(size)
  })

  it('gives one index to one request sent twenty times at once', async () => {
    const body = await requestFor('said by many at once')
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(body)))
    expect(new Set(answers.map((answer) => expectEntry(answer).logIndex)).size).toBe(1)
  })

  it('takes a body of exactly 4 MiB and a query', async () => {
    const body = await requestFor('padded')
    const answer = await server.call('/api/v2/log/entries?a=b', { method: 'POST', body: body.padEnd(4 << 20, ' ') })
    expectEntry(answer)
  })
})

describe('POST /api/v2/log/entries, refused', () => {
  const plain = (text: string): string => text.replaceAll('\u00a0', ' ')

  it.each(read<Vector[]>('refused.json').map((vector) => [vector.name, vector] as const))(
    '%s',
    async (name, vector) => {
      const size = await sizeNow()
      const answer = await send(vector)
      if (name === 'duplicate in another encoding') {
        // The reference: 409. Ours is answered like the first.
        expect(answer.headers['x-log-index']).toBe(expectEntry(answer).logIndex)
        return
      }
      const recorded = JSON.parse(plain(vector.response.body)) as { code: number; message: string }
      const expected =
        name === 'dsse request'
          ? { code: 3, message: 'invalid dsse request' }
          : name === 'PKIX_ED25519'
            ? { code: 3, message: 'invalid hashedrekord request' }
            : { code: recorded.code, message: recorded.message }
      expect([answer.status, answer.json()]).toEqual([400, { ...expected, details: [] }])
      expect(answer.headers['content-type']).toBe('application/json')
      expect(await sizeNow()).toBe(size)
    },
  )

  it.each(
    [
      ...read<Vector[]>('dsse.json').filter((vector) => vector.response.status === 400),
      ...read<Vector[]>('accepted.json').filter(notToCopy),
    ].map((vector) => [vector.name, vector] as const),
  )('%s', async (name, vector) => {
    const size = await sizeNow()
    const answer = await send(vector)
    const recorded = JSON.parse(plain(vector.response.body)) as { code: number; message: string }
    const message = notToCopy(vector)
      ? 'invalid hashedrekord request'
      : name === 'neither kind'
        ? 'invalid type, must be hashedrekord'
        : recorded.message
    expect([answer.status, answer.json()]).toEqual([400, { code: 3, message, details: [] }])
    expect(await sizeNow()).toBe(size)
  })

  it('says what was wrong to the log alone', async () => {
    server.reports.length = 0
    await post('{"hashedRekordRequestV002":{}}')
    expect(server.reports).toEqual([{ code: 'ENTRY_HASHEDREKORD_INVALID', ours: false }])
  })

  it.each([
    ['one byte over the limit', (4 << 20) + 1],
    ['5 MB', 5_000_000],
  ])('a body of %s, with its length declared or not', async (_, length) => {
    const size = await sizeNow()
    const body = Buffer.alloc(length, ' ')
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }] as Record<string, string>[]) {
      const answer = await post(body, headers)
      expect([answer.status, answer.json()]).toEqual([
        400,
        { code: 3, message: 'http: request body too large', details: [] },
      ])
    }
    expect(await sizeNow()).toBe(size)
  })

  it('an entry that no bundle can hold', async () => {
    const request = JSON.parse(await requestFor('large')) as {
      hashedRekordRequestV002: { signature: { content: string } }
    }
    request.hashedRekordRequestV002.signature.content = base64(Buffer.alloc(50_000))
    const answer = await post(JSON.stringify(request))
    expect([answer.status, answer.json()]).toEqual([400, { code: 3, message: 'entry is too large', details: [] }])
  })

  it('4 MiB of open brackets, of one string and of one number', async () => {
    const size = await sizeNow()
    for (const body of ['['.repeat(4 << 20), `{"${'a'.repeat(4_000_000)}":1}`, `{"digest":${'9'.repeat(4_000_000)}}`]) {
      const answer = await post(body)
      expect([answer.status, answer.json().code]).toEqual([400, 3])
      expect(answer.bytes.length).toBeLessThan(1000)
    }
    expect(await sizeNow()).toBe(size)
  })
})

describe('clients that go away', () => {
  it('harm no other request of the batch', async () => {
    const bodies = await Promise.all(Array.from({ length: 40 }, (_, i) => requestFor(`company ${i}`)))
    const answers = await Promise.allSettled(
      bodies.map((body, i) => {
        const leave = new AbortController()
        const call = server.call('/api/v2/log/entries', { method: 'POST', body, signal: leave.signal })
        if (i % 2 === 1) setTimeout(() => leave.abort(), i % 10)
        return call
      }),
    )
    answers.forEach((answer, i) => {
      if (i % 2 === 0) expect(answer.status).toBe('fulfilled')
      if (answer.status === 'fulfilled') expectEntry(answer.value)
    })
    expectEntry(await post(await requestFor('after them')))
  })

  it('leave nothing when they stop inside their body', async () => {
    const size = await sizeNow()
    const body = await requestFor('half')
    server.reports.length = 0
    const socket = connect(server.port, '127.0.0.1')
    socket.write(
      `POST /api/v2/log/entries HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 100)}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    while (server.reports.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(server.reports).toEqual([{ code: 'SERVICE_BODY_ABORTED', ours: false }])
    expect(await sizeNow()).toBe(size)
  })
})

describe('tiles and checkpoint', () => {
  let size: bigint
  beforeAll(async () => {
    while ((await sizeNow()) < 300n) {
      const bodies = await Promise.all(Array.from({ length: 60 }, (_, i) => requestFor(`tile ${i} ${Math.random()}`)))
      await Promise.all(bodies.map((body) => post(body)))
    }
    size = await sizeNow()
  }, 60_000)

  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    server.call(`/api/v2/${path}`, { headers })

  it('serves the newest checkpoint, to be asked for again each time', async () => {
    const answer = await get('checkpoint')
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
      etag: expect.stringMatching(/^"[\w-]{43}"$/) as unknown,
    })
    expect(parseCheckpoint(parseSignedNote(answer.text).text).size).toBe(size)
    expect(answer.text.split('\n\n')).toHaveLength(2)
  })

  it('serves tiles and bundles that hash to each other', async () => {
    const width = Number(size - 256n)
    const full = await get('tile/0/000')
    const partial = await get(`tile/0/001.p/${width}`)
    const above = await get('tile/1/000.p/1')
    const bodies = [await get('tile/entries/000'), await get(`tile/entries/001.p/${width}`)].flatMap((answer) =>
      decodeEntryBundle(answer.bytes),
    )
    expect([full.bytes.length, partial.bytes.length, above.bytes.length]).toEqual([8192, width * 32, 32])
    expect(bodies).toHaveLength(Number(size))
    expect(Buffer.concat(bodies.map((body) => leafHash(body)))).toEqual(Buffer.concat([full.bytes, partial.bytes]))
    for (const answer of [full, partial, above]) {
      expect(answer.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'cache-control': 'max-age=604800,immutable',
      })
    }
  })

  it('serves every width up to the current one, cut from it', async () => {
    const full = (await get('tile/0/000')).bytes
    for (const width of [1, 2, 128, 255]) {
      expect((await get(`tile/0/000.p/${width}`)).bytes).toEqual(full.subarray(0, width * 32))
      expect(decodeEntryBundle((await get(`tile/entries/000.p/${width}`)).bytes)).toHaveLength(width)
    }
  })

  it('answers 304 to who has the bytes, and HEAD without them', async () => {
    const first = await get('tile/0/000')
    const etag = first.headers.etag!
    for (const value of [etag, `"other", W/${etag}`, '*']) {
      const again = await get('tile/0/000', { 'If-None-Match': value })
      expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, etag])
    }
    expect((await get('tile/0/000', { 'If-None-Match': '"other"' })).status).toBe(200)
    const head = await server.call('/api/v2/tile/0/000', { method: 'HEAD' })
    expect([head.status, head.bytes.length, head.headers['content-length'], head.headers.etag]).toEqual([
      ...[200, 0, '8192'],
      etag,
    ])
  })

  it.each(['/api/v2/tile/0/000', '/api/v2/tile/entries/001.p/2'])('sends one range of %s', async (path) => {
    const { bytes, headers } = await server.call(path)
    const etag = headers.etag!
    expect(headers['accept-ranges']).toBe('bytes')
    const ask = (range: string, more: Record<string, string> = {}, method = 'GET') =>
      server.call(path, { method, headers: { Range: range, ...more } })
    const part = await ask('bytes=2-5')
    expect([part.status, part.headers['content-range'], part.headers.etag]).toEqual([
      ...[206, `bytes 2-5/${bytes.length}`],
      etag,
    ])
    expect(part.bytes).toEqual(bytes.subarray(2, 6))
    expect((await ask('bytes=-3')).bytes).toEqual(bytes.subarray(-3))
    expect((await ask('bytes=2-5', { 'If-Range': etag })).status).toBe(206)
    const beyond = await ask(`bytes=${bytes.length}-`)
    expect([beyond.status, beyond.bytes.length, beyond.headers['content-range']]).toEqual([
      ...[416, 0],
      `bytes */${bytes.length}`,
    ])
    // A cache must not keep it in the place of the file.
    expect(beyond.headers['cache-control']).toBe('no-store')
    const whole = [
      await ask('bytes=2-5', { 'If-Range': '"other"' }),
      await ask('bytes=2-5', { 'If-Range': `W/${etag}` }),
      await ask('bytes=2-5', { 'If-Range': 'Sun, 06 Nov 1994 08:49:37 GMT' }),
      await ask('bytes=0-1,4-5'),
      await ask('lines=1-2'),
    ]
    for (const answer of whole) expect([answer.status, answer.bytes.length]).toEqual([200, bytes.length])
    expect((await ask('bytes=2-5', { 'If-None-Match': etag })).status).toBe(304)
    const head = await ask('bytes=2-5', {}, 'HEAD')
    expect([head.status, head.headers['content-length']]).toEqual([200, String(bytes.length)])
  })

  it.each([
    ...['tile/0/002', 'tile/1/001', 'tile/2/000', 'tile/0/001', 'tile/entries/001', 'tile/0/000.p/0'],
    ...['tile/0/000.p/256', 'tile/0/000.p/01', 'tile/64/000', 'tile/00/000', 'tile/0/0', 'tile/0/x000/000'],
    ...['tile/0/000/', 'tile/0/000.p', 'tile/0/../0/000', 'tile/entries', 'tile/0', 'tile'],
    ...['checkpoint/', 'tile/0/x999/x999/x999/x999/x999/x999/999', 'tile/0/000.p/300'],
  ])('has no %s', async (path) => {
    const answer = await get(path)
    expect([answer.status, answer.json()]).toEqual([404, { code: 5, message: 'Not Found', details: [] }])
  })

  it('reads %30 as the 0 that it stands for: one path, as RFC 3986 §6.2.2.2 and ca.md §1 have it', async () => {
    const [plain, escaped] = [await get('tile/0/000'), await get('tile/0/%30%30%30')]
    expect([escaped.status, escaped.bytes]).toEqual([plain.status, plain.bytes])
  })

  it.each(['a', '-1', '4294967296', 'Entries'])('refuses the level %s as the reference does', async (level) => {
    const answer = await get(`tile/${level}/000`)
    const message = `type mismatch, parameter: L, error: strconv.ParseUint: parsing "${level}": invalid syntax`
    expect([answer.status, answer.json()]).toEqual([400, { code: 3, message, details: [] }])
  })

  it('serves checkpoints each of which extends the one before', async () => {
    const before = parseCheckpoint(parseSignedNote((await get('checkpoint')).text).text)
    expectEntry(await post(await requestFor('one more')))
    const after = parseCheckpoint(parseSignedNote((await get('checkpoint')).text).text)
    expect(after.size).toBe(before.size + 1n)
    verifyConsistency({
      firstSize: before.size,
      firstRoot: before.root,
      secondSize: after.size,
      secondRoot: after.root,
      proof: await log.consistencyProof(before.size, after.size),
    })
  })
})

describe('routes', () => {
  /** Served here by the same process: the recorded write process leaves them to an object store, which serves HEAD too. */
  const served = /^(GET|HEAD) \/api\/v2\/(checkpoint|tile\/0\/000|tile\/entries\/000(\.p\/5)?)$/
  /** Answered by the edge of the origin, in its own shape, and tested with it. */
  const ofTheOrigin = /\/healthz|^(GET|POST) \/(nope|metrics)?$/
  const frozen = /^frozen log/

  const routes = read<Vector[]>('routes.json').filter(({ name }) => !ofTheOrigin.test(name) && !frozen.test(name))

  it.each(routes.map((vector) => [vector.name, vector] as const))('%s', async (name, vector) => {
    const answer = await send(vector)
    if (served.test(name)) {
      expect(answer.status).toBe(200)
      return
    }
    const missing = name === 'GET /api/v2/tile/0/x001/000.p/5'
    expect(answer.status).toBe(missing ? 404 : vector.response.status)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers.allow).toBeUndefined()
    if (!missing && vector.response.body !== '') expect(answer.json()).toEqual(JSON.parse(vector.response.body))
  })

  it('reads a doubled slash at the start of a path as one', async () => {
    expectEntry(await server.call('//api/v2/log/entries', { method: 'POST', body: await requestFor('joined') }))
  })
})
