import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { serveLogV1, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'
import { entryOf, openV1Tree, readVectors, type TestV1Tree, type Vector } from './support/v1-log.js'

const clock = new ManualClock('2026-11-22T10:00:00.700Z')
let db: TestDatabase
let tree: TestV1Tree
let server: LogServer

beforeAll(async () => {
  db = await testDatabase()
  tree = await openV1Tree(db, clock)
  server = await serveLogV1({ trees: { trees: () => [tree] }, clock, crypto: nodeCrypto, maxBodyBytes: 200_000 })
}, 60_000)
afterAll(async () => {
  await server.close()
  await tree.log.close()
  await db.drop()
})

const send = ({ request }: Pick<Vector, 'request'>, path = request.path): Promise<Answer> =>
  server.call(path, {
    method: request.method,
    headers: request.headers,
    ...(request.body === undefined || ['GET', 'HEAD'].includes(request.method) ? {} : { body: request.body }),
  })

/** Leniency that no known client uses, and that is declined (docs/spec-divergences.md). */
const DECLINED = [
  'post-member-names-other-case',
  'dsse-payload-urlsafe-base64',
  'dsse-signature-urlsafe-base64',
  'rekord-pgp-armored',
  'rekord-pgp-binary',
  'rekord-ssh',
  'post-trailing-garbage',
]
const posts = ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161'].flatMap(readVectors)

describe('POST /api/v1/log/entries, recorded from the reference', () => {
  const accepted = posts.filter(({ response, name }) => response.status === 201 && !DECLINED.includes(name))
  it.each(accepted.map((vector) => [vector.name, vector] as const))('logs, proves and signs: %s', async (_, vector) => {
    const answer = await send(vector)
    expect(answer.status).toBe(201)
    const { entryId, entry } = entryOf(answer, [tree])
    expect(Buffer.from(entry.body, 'base64').toString()).toBe(vector.decoded![0]!.body)
    expect(entryId.slice(16)).toBe(vector.decoded![0]!.entryId.slice(16))
    expect(entry.attestation).toBeUndefined()
    expect(entry.integratedTime).toBe(Math.floor(clock.now().getTime() / 1000))
    // sigstore-go takes the bare tag for the name of the entry.
    expect(answer.headers['etag']).toBe(entryId)
    expect(answer.headers['location']).toBe(`/api/v1/log/entries/${entryId}`)
    expect([answer.headers['vary'], answer.headers['cache-control']]).toEqual(['Origin', undefined])
  })

  it.each(accepted.map((vector) => [vector.name, vector] as const))('says where it is: %s', async (_, vector) => {
    const answer = await send(vector)
    expect(answer.status).toBe(409)
    const location = answer.headers['location']!
    const id = location.split('/').at(-1)!
    expect(answer.text).toBe(
      `{"code":409,"message":"an equivalent entry already exists in the transparency log with UUID ${id}"}\n`,
    )
    clock.advance(1000)
    const { entryId, entry } = entryOf(await server.call(location), [tree])
    expect(entryId).toBe(id)
    // What was signed for the first time is signed for ever: the time is stored.
    expect(entry.integratedTime).toBeLessThan(Math.floor(clock.now().getTime() / 1000))
    expect(entry.attestation?.data).toBe(attestationOf(vector))
  })

  function attestationOf({ name, request }: Vector): string | undefined {
    if (!name.startsWith('intoto')) return undefined
    const { apiVersion, spec } = JSON.parse(request.body!) as {
      apiVersion: string
      spec: { content: { envelope: never } }
    }
    if (apiVersion === '0.0.1') return (JSON.parse(spec.content.envelope) as { payload: string }).payload
    const { payload } = spec.content.envelope as { payload: string }
    return Buffer.from(payload, 'base64').toString()
  }

  const refused = [...posts, ...readVectors('errors')].filter(
    ({ name, request, response }) =>
      request.method === 'POST' && ![200, 201, 409].includes(response.status) && !DECLINED.includes(name),
  )
  it.each(refused.map((vector) => [vector.name, vector] as const))('refuses: %s', async (_, vector) => {
    const answer = await send(vector)
    const wanted = vector.response
    // Malformed requests are 500 in the reference, which its clients would send again.
    const status = wanted.status === 500 ? 400 : wanted.status
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/json')
    if (/asn1:|json:|x509:|openpgp:|illegal base64|PGP|missing from signedData|unexpected EOF/.test(wanted.body)) return
    if (wanted.status === 500 && !wanted.body.includes('unexpected')) return
    expect(answer.text).toBe(wanted.body)
  })

  it('takes nothing of what it refuses', async () => {
    const { size } = await tree.log.checkpoint()
    for (const vector of refused) await send(vector)
    expect((await tree.log.checkpoint()).size).toBe(size)
  })

  const located = readVectors('duplicates').filter(({ name }) => name.startsWith('location'))
  it.each(located.map((vector) => [vector.name, vector] as const))('locates: %s', async (_, vector) => {
    const answer = await send(vector)
    expect(answer.status).toBe(vector.response.status)
    const wanted = vector.response.headers['Location']!.replaceAll(/\/{2,}/g, '/').replace(/entries\/[0-9a-f]{16}/, '')
    expect(answer.headers['location']!.replace(/entries\/[0-9a-f]{16}/, '')).toBe(wanted)
  })

  it('gives one place to one entry sent six times at once', async () => {
    const body = JSON.stringify({
      ...(JSON.parse(posts.find(({ name }) => name === 'intoto-002-hash-any')!.request.body!) as object),
    }).replace(/"hash":\{"algorithm":"sha256","value":"[^"]*"/, `"hash":{"algorithm":"sha256","value":"six times"`)
    const headers = { 'Content-Type': 'application/json' }
    const all = await Promise.all(
      Array.from({ length: 6 }, () => server.call('/api/v1/log/entries', { method: 'POST', headers, body })),
    )
    expect(all.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
  })

  it('refuses a body that is too large, before it has come', async () => {
    for (const path of ['/api/v1/log/entries', '/api/v1/log/entries/retrieve', '/api/v1/index/retrieve']) {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await server.call(path, { method: 'POST', headers, body: ' '.repeat(200_001) })
      expect([answer.status, answer.text]).toEqual([413, '{"code":413,"message":"Request Entity Too Large"}'])
    }
  })

  it('refuses an entry that no bundle of entries could hold', async () => {
    const vector = posts.find(({ name }) => name === 'intoto-002-hash-any')!
    const value = 'x'.repeat(66_000)
    const body = vector.request.body!.replace(
      /"hash":\{"algorithm":"sha256","value":"[^"]*"/,
      `"hash":{"algorithm":"sha256","value":"${value}"`,
    )
    const headers = { 'Content-Type': 'application/json' }
    const answer = await server.call('/api/v1/log/entries', { method: 'POST', headers, body })
    expect(answer.status).toBe(400)
    expect(answer.text).toBe('{"code":400,"message":"error processing entry: entry is too large"}\n')
  })
})
