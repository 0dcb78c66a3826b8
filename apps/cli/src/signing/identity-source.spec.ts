import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { CertifiedKey, SignContext } from '@touchmark/sign'
import { nodeCrypto } from '@touchmark/crypto/node'
import { ManualClock } from '@touchmark/clock'
import { readTokenClaims } from '@touchmark/sign'
import { testToken, TestServices, URLS } from '../../../../libs/sign/src/testing/services.js'
import { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import type { CliContext } from '../context.js'
import { NOW } from '../testing/context.js'
import type { FoundToken } from '../tokens.js'
import { KeylessIdentity } from './identity-source.js'

let instance: TestInstance
let services: TestServices
let clock: ManualClock
let source: KeylessIdentity
let tokensAsked: number
let next: () => FoundToken

beforeAll(async () => {
  instance = await TestInstance.create()
})

const tokenOf = (claims: object = {}): FoundToken => {
  const token = testToken(claims)
  return { token, claims: readTokenClaims(token), source: 'given' }
}

beforeEach(() => {
  services = new TestServices(instance)
  clock = new ManualClock(NOW)
  tokensAsked = 0
  next = () => tokenOf()
  const http = { fetch: services.fetch, sleep: () => Promise.resolve(), random: () => 0.5, timeoutMs: 1000, tries: 1 }
  const context = { clock, http } as unknown as CliContext
  const signContext: SignContext = { services: URLS, http, crypto: nodeCrypto, nonce: () => 1n, elapsed: () => 0 }
  source = new KeylessIdentity(context, signContext, tokenOf(), () => {
    tokensAsked++
    return Promise.resolve().then(() => next())
  })
})

const current = async (): Promise<CertifiedKey> => (await source.current()) as CertifiedKey
const certificates = (): number => services.asked.length
const MINUTE = 60_000

describe('the certificate of a run', () => {
  it('is one for all files while it lasts', async () => {
    const [one, two] = await Promise.all([current(), current()])
    clock.advance(8 * MINUTE)
    expect([await current(), two]).toEqual([one, one])
    expect([certificates(), tokensAsked]).toEqual([1, 0])
  })

  it('is replaced before it ends, once for all files that wait', async () => {
    const first = await current()
    clock.advance(9 * MINUTE)
    const [one, two] = await Promise.all([current(), current()])
    expect(one).toBe(two)
    expect(one.certificate).not.toEqual(first.certificate)
    expect([certificates(), tokensAsked]).toEqual([2, 1])
    clock.advance(9 * MINUTE)
    await current()
    expect([certificates(), tokensAsked]).toEqual([3, 2])
  })

  it('is counted from when it was asked for, whatever this machine’s clock says', async () => {
    clock.set('2036-01-01T00:00:00Z')
    const first = await current()
    clock.advance(8 * MINUTE)
    expect(await current()).toBe(first)
  })

  it.each<[string, () => FoundToken]>([
    ['there is no new token', () => tokenOf({ email_verified: false })],
    ['somebody else is logged in now', () => tokenOf({ email: 'eve@example.com' })],
    ['another issuer vouches now', () => tokenOf({ iss: 'https://other.example.com' })],
  ])('is not replaced when %s', async (_name, token) => {
    await current()
    clock.advance(9 * MINUTE)
    next = token
    await expect(current()).rejects.toThrowCode('SIGN_TOKEN_REFUSED')
    expect(certificates()).toBe(1)
  })

  it('says so when the authority does not take the token any more', async () => {
    await current()
    clock.advance(9 * MINUTE)
    services.change = () =>
      Response.json({ message: 'There was an error processing the identity token' }, { status: 400 })
    await expect(current()).rejects.toMatchObject({
      code: 'SIGN_TOKEN_REFUSED',
      message: expect.stringContaining('run out'),
      details: { hint: expect.stringContaining('--resume') },
    })
  })
})
