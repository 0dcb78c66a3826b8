import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { parseTimestampResponse, verifyTimestamp } from '@touchmark/timestamp'
import { remakeChain, type TestAuthority } from '../../../libs/timestamp/src/testing/authority.js'
import { recordedChain, recordedExchanges, type RecordedExchange } from '../../../libs/timestamp/src/testing/vectors.js'
import { trustingClockGuard } from './clock-guard.js'
import { startServer, type TestServer } from './testing/server.js'
import type { TsaOptions } from './tsa.module.js'

const NOW = '2026-11-22T16:22:35Z'

interface Divergence {
  readonly reason: string
  /** What we answer instead. */
  readonly status: number
  readonly message?: string
  readonly contentType: string
}

const V214 = 'v2.1.4 parses Content-Type as a media type (tsa.md §1): parameters and any letter case are fine'
const ACCEPT =
  'an Accept that does not name the reply gives an empty 500 or a 406 there: Accept is not looked at (tsa.md §2: do not copy)'
const PING_ONLY = 'http-ping-only is not there: plain HTTP is the business of whoever configures the listener'
const token = (reason: string): Divergence => ({ reason, status: 200, contentType: 'application/timestamp-reply' })

/** Where we answer otherwise than the recorded v2.1.3, and why. */
const DIVERGENCES: Readonly<Record<string, Divergence>> = {
  'content type application/timestamp-query; charset=binary': token(V214),
  'content type Application/Timestamp-Query': token(V214),
  'JSON with charset parameter': token(V214),
  'JSON upper-case content type': token(V214),
  'content type */*': {
    reason: 'a media range is no media type of a request: 415 is true where 500 blames the server (tsa.md §2, layer A)',
    status: 415,
    message: 'unsupported media type "*/*", only [application/timestamp-query application/json] are allowed',
    contentType: 'application/json',
  },
  'Accept application/json': token(ACCEPT),
  'certchain, Accept application/json': {
    reason: ACCEPT,
    status: 200,
    contentType: 'application/pem-certificate-chain',
  },
  'certchain, Accept text/html': { reason: ACCEPT, status: 200, contentType: 'application/pem-certificate-chain' },
  'ping-only: POST timestamp': token(PING_ONLY),
}

/** Headers that frame the message: a body of known length needs no chunks. */
const FRAMING = ['content-length', 'transfer-encoding', 'date', 'connection', 'keep-alive']

function bodyOf({ body, bodyBase64, bodyRecipe }: RecordedExchange['request']): Uint8Array | string | undefined {
  const recipe = /^(\d+) times the letter (.)$/.exec(bodyRecipe ?? '')
  if (recipe !== null) return recipe[2]!.repeat(Number(recipe[1]))
  if (bodyRecipe !== undefined) throw new Error(`unknown recipe ${bodyRecipe}`)
  return body ?? (bodyBase64 === undefined ? undefined : Buffer.from(bodyBase64, 'base64'))
}

function withoutFraming(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, unknown> {
  const list = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return Object.fromEntries(list.filter(([name]) => !FRAMING.includes(name)))
}

describe('the recorded exchanges', () => {
  const exchanges = recordedExchanges()
  const recordedPem = exchanges.find(({ name }) => name === 'GET /api/v1/timestamp/certchain')!.response.body!
  let authority: TestAuthority
  const servers = new Map<string, TestServer>()

  beforeAll(async () => {
    authority = remakeChain(recordedChain('p256'), 'P-256', 'SHA2_256')
    const clock = new ManualClock(NOW)
    const base: TsaOptions = {
      signer: authority.signer,
      chain: authority.chain,
      clock,
      crypto: nodeCrypto,
      clockGuard: trustingClockGuard(clock),
    }
    servers.set('', await startServer(base))
    servers.set('--http-ping-only', servers.get('')!)
    servers.set(
      '--include-chain-in-response --allow-custom-extensions --use-http-201 --accepted-policy-oids=1.2.3.4.1 --default-policy-oid=1.2.3.4.9',
      await startServer({
        ...base,
        includeChain: true,
        allowExtensions: true,
        successStatus: 201,
        policy: { accepted: ['1.2.3.4.1'], default: '1.2.3.4.9' },
      }),
    )
  })
  afterAll(async () => {
    await Promise.all([...new Set(servers.values())].map((server) => server.close()))
  })

  it('are 79, and every divergence is one of them', () => {
    expect(exchanges.length).toBe(79)
    const names = exchanges.map(({ name }) => name)
    expect(Object.keys(DIVERGENCES).filter((name) => !names.includes(name))).toEqual([])
  })

  it.each(exchanges.map((one, index) => [index, one.name, one] as const))('%i %s', async (_index, name, exchange) => {
    const { request, response } = exchange
    const server = servers.get((exchange.serverOptions ?? []).join(' '))!
    const body = bodyOf(request)
    const answer = await server.send(request.method, request.path, {
      headers: request.headers,
      ...(body === undefined ? {} : { body }),
    })
    const divergence = DIVERGENCES[name]
    const expectedHeaders = withoutFraming(response.headers)
    if (divergence !== undefined) {
      expect(answer.status).toBe(divergence.status)
      expect(answer.headers['content-type']).toBe(divergence.contentType)
      if (divergence.message !== undefined)
        expect(JSON.parse(answer.body.toString())).toEqual({ code: divergence.status, message: divergence.message })
    } else {
      expect(answer.status).toBe(response.status)
      expect(withoutFraming(answer.headers)).toEqual(expectedHeaders)
    }
    if (request.method !== 'HEAD' && answer.status !== 204)
      expect(answer.headers['content-length']).toBe(String(answer.body.length))
    if (answer.headers['content-type'] === 'application/timestamp-reply' && answer.status < 300) checkToken(answer.body)
    else if (answer.headers['content-type'] === 'application/pem-certificate-chain') checkPem(answer.body.toString())
    else if (divergence === undefined) expect(answer.body.toString()).toBe(response.body)
  })

  function checkToken(body: Uint8Array): void {
    const message = new TextEncoder().encode('hello')
    const verified = verifyTimestamp({
      response: new Uint8Array(body),
      message,
      authorities: [authority.trusted],
      crypto: nodeCrypto,
    })
    expect(verified.time).toEqual(new Date(NOW))
    expect(parseTimestampResponse(body).status).toBe(0)
  }

  /** Ours differs from the recorded one in keys and signatures only: as many blocks, nothing between them, one newline at the end. */
  function checkPem(text: string): void {
    const shape = (pem: string): string[] =>
      pem.split('\n').map((line) => (line.startsWith('-----') ? line : line.length === 64 ? '64' : 'rest'))
    expect(shape(text).filter((line) => line !== '64')).toEqual(shape(recordedPem).filter((line) => line !== '64'))
  }
})
