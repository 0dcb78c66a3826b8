import { describe, expect, it } from '@jest/globals'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode } from '@touchmark/encoding'
import type { Principal } from '@touchmark/identity'
import { CaError } from '../errors.js'
import { IssuanceError } from '../issuance/index.js'
import type { Proven } from '../proof/proven.js'
import { MemoryRecord } from '../testing/memory-record.js'
import { claimRequest, isNotLogged } from './claim-request.js'
import type { ClaimRequest } from './issuance-record.js'

const { publicKey } = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const expiresAt = new Date('2026-06-01T12:10:00Z')

function principal(issuer: string, name: string): Principal {
  return { issuer, name, subject: { type: 'email', value: name }, extensions: {} }
}

/** What the record is asked for. */
async function asked(who: Principal, changes: Partial<Proven> = {}): Promise<ClaimRequest> {
  const seen: ClaimRequest[] = []
  const record = new MemoryRecord()
  const claim = record.claim.bind(record)
  record.claim = (request) => {
    seen.push(request)
    return claim(request)
  }
  const proven = {
    publicKey,
    bound: true,
    token: { signedPart: 'e30.e30', expiresAt },
    ...changes,
  } as unknown as Proven
  await claimRequest(record, proven, who, nodeCrypto)
  return seen[0]!
}

describe('a claim', () => {
  it('is of the token’s signed part, the key, and whom it is for, as digests', async () => {
    const digest = (bytes: Uint8Array): string => hexEncode(nodeCrypto.hash('SHA2_256', bytes))
    const found = await asked(principal('https://a.example', 'dev@example.com'))
    expect(hexEncode(found.tokenSha256)).toBe(digest(Buffer.from('e30.e30')))
    expect(hexEncode(found.spkiSha256)).toBe(digest(publicKey.spki))
    expect(found).toMatchObject({ bound: true, expiresAt })
  })

  it('keeps principals apart whose issuer and name run into each other', async () => {
    const pairs = [
      ['https://a.example', 'bdev'],
      ['https://a.exampleb', 'dev'],
      ['', 'https://a.examplebdev'],
      ['https://a.examplebdev', ''],
    ] as const
    const digests = await Promise.all(
      pairs.map(async ([issuer, name]) => hexEncode((await asked(principal(issuer, name))).principalSha256)),
    )
    expect(new Set(digests).size).toBe(pairs.length)
  })
})

describe('what a failure says about the certificate log', () => {
  it.each([
    ['CA_SIGNING_FAILED', true],
    ['CA_CT_LOG_REFUSED', true],
    ['CA_CT_LOG_FAILED', false],
    ['CA_SCT_INVALID', false],
    ['CA_CERTIFICATE_MISMATCH', false],
  ] as const)('%s: surely no entry is %s', (code, sure) => {
    expect(isNotLogged(new IssuanceError(code, 'as told'))).toBe(sure)
  })

  it('nothing, when it is none of ours', () => {
    expect(isNotLogged(new Error('as told'))).toBe(false)
    expect(isNotLogged(new CaError('CA_RECORD_UNAVAILABLE', 'as told'))).toBe(false)
  })
})
