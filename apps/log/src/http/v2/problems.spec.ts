import { afterEach, describe, expect, it } from '@jest/globals'
import { CodedError } from '@touchmark/errors'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { LedgerError, type AppendOptions, type Log, type NewEntry } from '@touchmark/ledger'
import { serveLog, type Answer, type LogServer } from '../../testing/serve.js'

const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const artifact = Buffer.from('text')

async function validBody(): Promise<string> {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  return JSON.stringify({
    hashedRekordRequestV002: {
      digest: base64(nodeCrypto.hash('SHA2_256', artifact)),
      signature: {
        content: base64(await signer.sign(artifact)),
        verifier: { publicKey: { rawBytes: base64(signer.publicKey.spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
      },
    },
  })
}

type Append = (entry: NewEntry, options?: AppendOptions) => Promise<never>

/** A log that refuses: what it is asked is seen, what it throws is chosen. */
function refusing(append: Append, state: Log['state'] = 'active'): Log {
  return { kind: 'signature-v2', state, logId: new Uint8Array(32), append } as unknown as Log
}

describe('answers to what the log refuses', () => {
  let server: LogServer | undefined
  afterEach(() => server?.close())

  async function answerOf(log: Log, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    server = await serveLog({ log })
    return server.call('/api/v2/log/entries', { method: 'POST', body: body ?? (await validBody()), headers })
  }

  const refusals: [LedgerError['code'], number, number, string][] = [
    ['LEDGER_PUSHBACK', 503, 14, 'reached max pushback; retry'],
    ['LEDGER_CLOSED', 503, 14, 'the log is shutting down; retry'],
    ['LEDGER_UNAVAILABLE', 503, 14, 'the log cannot store entries at this moment; retry'],
    ['LEDGER_SIGNER_FAILED', 503, 14, 'the log cannot sign at this moment; retry'],
    ['LEDGER_STATE_UNKNOWN', 503, 14, 'it is not known whether the entry was stored; retry'],
    ['LEDGER_ENTRY_TOO_LARGE', 400, 3, 'entry is too large'],
    ['LEDGER_ENTRY_REFUSED', 500, 2, 'failed to integrate entry'],
    ['LEDGER_CANCELLED', 499, 1, 'context canceled'],
    ['LEDGER_CORRUPT', 500, 13, 'internal server error'],
    ['LEDGER_ROLLED_BACK', 500, 13, 'internal server error'],
  ]
  it.each(refusals)('answers %s with %i', async (ledgerCode, status, code, message) => {
    const answer = await answerOf(refusing(() => Promise.reject(new LedgerError(ledgerCode, 'a secret detail'))))
    expect([answer.status, answer.json()]).toEqual([status, { code, message, details: [] }])
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['retry-after'] !== undefined).toBe(status === 503)
  })

  it('hands on how long to wait', async () => {
    const error = new LedgerError('LEDGER_PUSHBACK', 'full', { retryAfterSeconds: 7 })
    const answer = await answerOf(refusing(() => Promise.reject(error)))
    expect(answer.headers['retry-after']).toBe('7')
    expect(server!.reports).toEqual([{ code: 'LEDGER_PUSHBACK', ours: false }])
  })

  it.each([new TypeError('our bug'), new CodedError('SOMETHING_ELSE', 'a secret detail')])(
    'answers what it does not know with 500, a request id and no detail',
    async (error) => {
      const answer = await answerOf(refusing(() => Promise.reject(error)))
      expect([answer.status, answer.json()]).toEqual([500, { code: 13, message: 'internal server error', details: [] }])
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
      expect(server!.reports[0]?.ours).toBe(true)
    },
  )

  const frozenText = 'This log has been frozen, please switch to the latest log.\n'
  it.each([
    ['a valid request', undefined, 405],
    ['{}', '{}', 405],
    ['an invalid request', '{"hashedRekordRequestV002":{}}', 405],
    ['bad JSON', 'x', 400],
  ])('answers as a frozen log to %s', async (_, body, status) => {
    const log = refusing(() => Promise.reject(new LedgerError('LEDGER_FROZEN', 'frozen')), 'frozen')
    const answer = await answerOf(log, body)
    expect(answer.status).toBe(status)
    if (status !== 405) return
    expect(answer.text).toBe(frozenText)
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(answer.headers['content-length']).toBe('59')
  })

  it('answers as frozen when the log finds that out at the append', async () => {
    const answer = await answerOf(refusing(() => Promise.reject(new LedgerError('LEDGER_FROZEN', 'frozen'))))
    expect([answer.status, answer.text]).toEqual([405, frozenText])
  })

  it('takes a place in the log only for what is valid', async () => {
    let appends = 0
    const log = refusing(() => {
      appends++
      return Promise.reject(new LedgerError('LEDGER_CLOSED', 'closed'))
    })
    const bad = (await validBody()).replace('"digest":"', '"digest":"AAAA')
    expect((await answerOf(log, bad)).status).toBe(400)
    expect(appends).toBe(0)
  })

  it('tells the log that the client went away', async () => {
    const leave = new AbortController()
    let told: (() => void) | undefined
    const left = new Promise<void>((resolve) => (told = resolve))
    const log = refusing((_entry, options) => {
      leave.abort()
      return new Promise((_, reject) => {
        options!.signal!.addEventListener('abort', () => {
          told!()
          reject(new LedgerError('LEDGER_CANCELLED', 'gone'))
        })
      })
    })
    server = await serveLog({ log })
    const body = await validBody()
    const call = server.call('/api/v2/log/entries', { method: 'POST', body, signal: leave.signal })
    await expect(call).rejects.toThrow()
    await left
  })

  it('answers 504 when the time of Grpc-Timeout is over, and leaves the entry in the log', async () => {
    let signal: AbortSignal | undefined
    const log = refusing((_entry, options) => {
      signal = options?.signal
      return new Promise(() => undefined)
    })
    const answer = await answerOf(log, undefined, { 'Grpc-Timeout': '20m' })
    expect([answer.status, answer.json()]).toEqual([
      504,
      { code: 4, message: 'context deadline exceeded', details: [] },
    ])
    expect(signal?.aborted).toBe(false)
  })

  it.each(['1', 'S', '123456789S', '-1S', '1s'])('refuses Grpc-Timeout %s', async (value) => {
    const answer = await answerOf(
      refusing(() => Promise.reject(new Error('asked'))),
      undefined,
      { 'Grpc-Timeout': value },
    )
    expect([answer.status, answer.json().message]).toEqual([400, `invalid grpc-timeout: ${value}`])
  })
})
