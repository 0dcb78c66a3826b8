import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { parseTimestampResponse, parseTstInfo, verifyTimestamp } from '@touchmark/timestamp'
import { makeAuthority, NOW } from '../../../libs/timestamp/src/testing/authority.js'
import { purposes, TIME_STAMPING } from '../../../libs/timestamp/src/testing/certificates.js'
import { recorded } from '../../../libs/timestamp/src/testing/vectors.js'
import { MonotonicClockGuard, trustingClockGuard } from './clock-guard.js'
import { startServer, type TestServer } from './testing/server.js'
import { TsaModule, type TsaOptions } from './tsa.module.js'

const authority = makeAuthority()
const clock = new ManualClock(NOW)
const base: TsaOptions = {
  signer: authority.signer,
  chain: authority.chain,
  clock,
  crypto: nodeCrypto,
  clockGuard: trustingClockGuard(clock),
}
const QUERY = { 'Content-Type': 'application/timestamp-query' }
const JSON_QUERY = { 'Content-Type': 'application/json' }
const bare = recorded('01-sha256-bare.tsq')
const TIMESTAMP = '/api/v1/timestamp'

describe('POST /api/v1/timestamp', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer(base)
  })
  afterAll(() => server.close())

  it('gives a token that verifies, in DER and in JSON, with a query string and a trailing slash', async () => {
    for (const [path, headers, body] of [
      [TIMESTAMP, QUERY, bare],
      [`${TIMESTAMP}/?x=1`, QUERY, bare],
      [TIMESTAMP, JSON_QUERY, recorded('11-json-minimal.json')],
    ] as const) {
      const answer = await server.send('POST', path, { headers, body })
      expect(answer.status).toBe(200)
      const message = new TextEncoder().encode('hello')
      const input = { response: answer.body, message, authorities: [authority.trusted], crypto: nodeCrypto }
      expect(verifyTimestamp(input).time).toEqual(NOW)
    }
  })

  it('gives each token a serial number of its own', async () => {
    const serials = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const { body } = await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })
      serials.add(parseTstInfo(parseTimestampResponse(body).token!.tstInfoBytes).serialNumber.join())
    }
    expect(serials.size).toBe(20)
  })

  it('brings a JSON nonce above 2^53 back exactly', async () => {
    const text = recorded('11-json-minimal.json')
    const body = Buffer.from(text).toString().replace(/}$/, ',"nonce":9007199254740993}')
    const answer = await server.send('POST', TIMESTAMP, { headers: JSON_QUERY, body })
    const { nonce } = parseTstInfo(parseTimestampResponse(answer.body).token!.tstInfoBytes)
    expect(nonce).toEqual(Uint8Array.of(0x20, 0, 0, 0, 0, 0, 1))
  })

  it('wants a body before it looks at the media type, however the body is framed', async () => {
    for (const sent of [{}, { body: '' }, { isChunked: true }]) {
      const answer = await server.send('POST', TIMESTAMP, { headers: { 'Content-Type': 'text/plain' }, ...sent })
      expect(answer.status).toBe(422)
      expect(answer.body.toString()).toBe('{"code":602,"message":"request in body is required"}')
    }
    const chunked = await server.send('POST', TIMESTAMP, {
      headers: { 'Content-Type': 'text/plain' },
      body: 'x',
      isChunked: true,
    })
    expect(chunked.status).toBe(415)
    const query = await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare, isChunked: true })
    expect(query.status).toBe(200)
  })

  it('takes a body of 1 MiB and refuses more, declared or not', async () => {
    for (const [bytes, isChunked] of [
      [1 << 20, false],
      [(1 << 20) + 1, false],
      [(1 << 20) + 1, true],
      [5_000_000, true],
    ] as const) {
      const answer = await server.send('POST', TIMESTAMP, { headers: QUERY, body: 'x'.repeat(bytes), isChunked })
      expect(answer.status).toBe(400)
      expect(answer.body.toString()).toBe('{"code":400,"message":"Error generating timestamp response"}')
    }
  })

  it('survives a client that goes away in the middle of its request', async () => {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write(
          `POST ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\nContent-Type: application/timestamp-query\r\nContent-Length: 56\r\n\r\n0`,
        )
        setTimeout(() => socket.destroy(), 20)
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
    })
    expect((await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })).status).toBe(200)
  })

  it('marks every answer of the route as not to be kept, and answers for other origins', async () => {
    for (const body of [bare, 'x']) {
      const { headers } = await server.send('POST', TIMESTAMP, {
        headers: { ...QUERY, Origin: 'https://a.example' },
        body,
      })
      expect(headers).toMatchObject({
        'cache-control': 'no-cache, no-store, no-transform, must-revalidate, private, max-age=0',
        pragma: 'no-cache',
        expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
        'x-accel-expires': '0',
        vary: 'Origin',
        'access-control-allow-origin': '*',
      })
    }
  })

  it('does not look at Accept', async () => {
    for (const Accept of ['', 'text/html', 'application/json']) {
      expect((await server.send('POST', TIMESTAMP, { headers: { ...QUERY, Accept }, body: bare })).status).toBe(200)
      expect((await server.send('GET', `${TIMESTAMP}/certchain`, { headers: { Accept } })).status).toBe(200)
    }
  })

  it('answers other paths and methods in its own shape', async () => {
    const put = await server.send('PUT', TIMESTAMP, { headers: { Origin: 'https://a.example' } })
    expect(put.status).toBe(405)
    expect(put.headers).toMatchObject({ allow: 'POST', vary: 'Origin' })
    expect(put.headers['access-control-allow-origin']).toBeUndefined()
    const nothing = await server.send('GET', `${TIMESTAMP}/certchain/x`)
    expect(nothing.status).toBe(404)
    expect(nothing.body.toString()).toBe('{"code":404,"message":"path /api/v1/timestamp/certchain/x was not found"}')
    expect((await server.send('GET', '/ping/')).status).toBe(404)
    expect((await server.send('GET', '/PiNG')).body.toString()).toBe('.')
  })

  it.each([
    [{}, true],
    [{ 'Access-Control-Request-Headers': 'accept,content-type,x-requested-with' }, true],
    [{ 'Access-Control-Request-Headers': 'accept, content-type' }, true],
    [{ 'Access-Control-Request-Headers': 'content-type,accept' }, false],
    [{ 'Access-Control-Request-Headers': 'Content-Type' }, false],
    [{ 'Access-Control-Request-Headers': 'authorization' }, false],
    [{ 'Access-Control-Request-Headers': ','.repeat(1000) }, false],
    [{ 'Access-Control-Request-Method': 'DELETE' }, false],
  ])('answers the preflight with %.60j: %s', async (asked, allowed) => {
    for (const path of [TIMESTAMP, `${TIMESTAMP}/certchain`, '/anything']) {
      const headers = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST', ...asked }
      const answer = await server.send('OPTIONS', path, { headers })
      expect(answer.status).toBe(204)
      expect(answer.headers['access-control-allow-origin']).toBe(allowed ? '*' : undefined)
    }
  })

  it('allows a foreign page nothing without an Origin', async () => {
    const answer = await server.send('OPTIONS', TIMESTAMP, { headers: { 'Access-Control-Request-Method': 'POST' } })
    expect(answer.status).toBe(204)
    expect(answer.headers['access-control-allow-methods']).toBeUndefined()
  })
})

describe('a timestamp authority that cannot answer', () => {
  it('gives no token but 503 while its clock is not proven, and tells why', async () => {
    const wall = new ManualClock(NOW)
    let ms = 0
    const reported: unknown[] = []
    const clockGuard = new MonotonicClockGuard({ clock: wall, monotonicMs: () => ms })
    const server = await startServer({ ...base, clock: wall, clockGuard, report: (error) => reported.push(error) })
    try {
      expect((await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })).status).toBe(200)
      wall.advance(2_000)
      const answer = await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })
      expect(answer.status).toBe(503)
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'retry-after': '60' })
      expect(answer.headers['cache-control']).toContain('no-store')
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 503 })
      expect(reported).toEqual([expect.objectContaining({ code: 'TSA_CLOCK_UNPROVEN' })])
      expect((await server.send('POST', TIMESTAMP, { headers: QUERY, body: 'x' })).status).toBe(400)
      ms += 2_000
      expect((await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })).status).toBe(200)
    } finally {
      await server.close()
    }
  })

  it('uses a guard of its own on the clock it is given', async () => {
    const server = await startServer({
      signer: base.signer,
      chain: base.chain,
      crypto: nodeCrypto,
      clock: new ManualClock(NOW),
      clockHealth: () => false,
    })
    try {
      expect((await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })).status).toBe(503)
    } finally {
      await server.close()
    }
  })

  it('answers 500 without detail when its key cannot sign, and tells why inside', async () => {
    const reported: unknown[] = []
    const signer = {
      publicKey: authority.signer.publicKey,
      scheme: authority.signer.scheme,
      sign: () => Promise.reject(new Error('the key store is closed')),
    }
    const server = await startServer({ ...base, signer, report: (error) => reported.push(error) })
    try {
      const answer = await server.send('POST', TIMESTAMP, { headers: QUERY, body: bare })
      expect(answer.status).toBe(500)
      expect(answer.body.toString()).toBe('{"code":500,"message":"Error generating timestamp response"}')
      expect(reported).toEqual([expect.objectContaining({ code: 'TIMESTAMP_SIGNING_FAILED' })])
    } finally {
      await server.close()
    }
  })
})

describe('TsaModule.register', () => {
  it('starts nothing on a chain that is not right', () => {
    const short = authority.chain.slice(0, 1)
    expect(() => TsaModule.register({ ...base, chain: short })).toThrowCode('TIMESTAMP_CHAIN_TOO_SHORT')
    const lax = makeAuthority({ leaf: { extensions: [purposes([TIME_STAMPING])] } })
    expect(() => TsaModule.register({ ...base, signer: lax.signer, chain: lax.chain })).toThrowCode(
      'TIMESTAMP_CHAIN_EKU_NOT_CRITICAL',
    )
    const late = new ManualClock('2050-01-01T00:00:00Z')
    expect(() => TsaModule.register({ ...base, clock: late })).toThrowCode('TIMESTAMP_CHAIN_VALIDITY')
  })

  it('leaves /ping to others when told so', () => {
    expect(TsaModule.register({ ...base, servePing: false }).controllers?.length).toBe(1)
    expect(TsaModule.register(base).controllers?.length).toBe(2)
  })
})
