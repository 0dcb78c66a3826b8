import { describe, expect, it } from '@jest/globals'
import { lostReason } from './http-reasons.js'

const lost = (message: string, code: string): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) })

describe('lostReason', () => {
  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'NODE_EXTRA_CA_CERTS', false],
    ['CERT_HAS_EXPIRED', 'NODE_EXTRA_CA_CERTS', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'NODE_EXTRA_CA_CERTS', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'NODE_EXTRA_CA_CERTS', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'http or https', false],
    ['ERR_INVALID_CHAR', 'Nothing was sent', false],
    ['ERR_INVALID_PROTOCOL', 'Nothing was sent', false],
    ['ERR_INVALID_URL', 'Nothing was sent', false],
    ['ERR_INVALID_ARG_VALUE', 'Nothing was sent', false],
    ['ENOTFOUND', 'host name', true],
    ['ECONNREFUSED', 'service runs', true],
    ['ECONNRESET', '/readyz', true],
  ])('tells what to do about %s', (code, advice, passes) => {
    const reason = lostReason(lost('in words', code), 1000)
    expect(reason).toEqual({ found: 'in words', hint: expect.stringContaining(advice), passes })
  })

  it('says how long was waited', () => {
    const late = new DOMException('aborted', 'TimeoutError')
    expect(lostReason(late, 1500).found).toBe('no whole answer within 1.5 s')
    expect(lostReason(new TypeError('terminated', { cause: late }), 1500).found).toBe('no whole answer within 1.5 s')
  })

  it('takes the first of several addresses that were tried', () => {
    const first = Object.assign(new Error('connect ECONNREFUSED ::1:9'), { code: 'ECONNREFUSED' })
    const all = new AggregateError([first, new Error('the other')])
    expect(lostReason(new TypeError('fetch failed', { cause: all }), 1)).toMatchObject({ found: first.message })
  })

  it.each([[undefined], ['text'], [new Error('')]])('reads anything that was thrown: %p', (thrown) => {
    expect(lostReason(thrown, 1)).toMatchObject({ passes: true, found: expect.any(String) })
  })

  it('does not follow causes in a circle', () => {
    const error = new Error('round')
    error.cause = error
    expect(lostReason(error, 1).found).toBe('round')
  })
})
