import { beforeAll, describe, expect, it } from '@jest/globals'
import { utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { POLICY_ERROR_CODES, PolicyError, VERIFY_ERROR_CODES, VerifyError } from './index.js'
import { verifySigned } from './testing/verifying.js'
import { other, root, prepareWorkshop, make, V2, refused } from './testing/workshop.js'
import { CERTIFICATE_REFUSALS } from './testing/certificate-refusals.js'
import { CONTENT_REFUSALS } from './testing/content-refusals.js'
import { LOG_REFUSALS } from './testing/log-refusals.js'
import type { Signed } from './testing/signing.js'
import { TIME_REFUSALS } from './testing/time-refusals.js'
import type { Ways } from './testing/ways.js'

beforeAll(prepareWorkshop)

const REFUSALS: Ways = { ...CONTENT_REFUSALS, ...TIME_REFUSALS, ...LOG_REFUSALS, ...CERTIFICATE_REFUSALS }

/** What machines read: the check that a refusal names. */
const CHECKS: Readonly<Record<string, string>> = {
  VERIFY_SIGNATURE_INVALID: 'signature',
  VERIFY_ARTIFACT_CHANGED: 'artifact digest',
  VERIFY_SUBJECT_MISMATCH: 'statement subject',
  VERIFY_ENTRY_MISMATCH: 'log entry body',
  VERIFY_ENTRY_TIME: 'log entry time',
  VERIFY_PROMISE: 'inclusion promise',
  VERIFY_CHECKPOINT: 'checkpoint',
  VERIFY_INCLUSION_PROOF: 'inclusion proof',
  VERIFY_PROOF_MISSING: 'inclusion proof',
  VERIFY_TIMESTAMP: 'timestamp',
  VERIFY_SCT: 'certificate log',
  VERIFY_CHAIN: 'certificate path',
}

describe('verifyBundle refuses', () => {
  const all = Object.entries(REFUSALS).flatMap(([code, ways]) =>
    Object.entries(ways).map(([name, way]) => ({ code, name, way })),
  )

  it('with every code that there is', () => {
    expect(Object.keys(REFUSALS).sort()).toEqual([...VERIFY_ERROR_CODES].sort())
    for (const ways of Object.values(REFUSALS)) expect(Object.keys(ways).length).toBeGreaterThan(0)
  })

  it.each(all.map((one) => [one.name, one.code, one.way] as const))('%s: %s', async (_name, code, way) => {
    const error = await way().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(isCodedError(error) ? error.code : error).toBe(code)
    expect(error).toBeInstanceOf(VerifyError)
    const { check, expected, found, hint } = (error as VerifyError).details
    for (const part of [check, expected, found, hint]) expect(part).toMatch(/./)
    const named = Object.entries(CHECKS).find(([prefix]) => code.startsWith(prefix))
    if (named !== undefined) expect(check).toBe(named[1])
  })

  it('an instance by telling both apart', async () => {
    const error = refused(() => verifySigned({ ...signed }, other.trustedRoot)) as VerifyError
    expect(error.details.expected).toContain('https://ca.example.com')
    expect(error.details.found).toContain('intermediate')
  })
  let signed: Signed
  beforeAll(async () => {
    signed = await make(V2)
  })

  it('a signature in one type, and a policy in another', () => {
    expect(VERIFY_ERROR_CODES.every((code) => code.startsWith('VERIFY_'))).toBe(true)
    expect(POLICY_ERROR_CODES.every((code) => code.startsWith('POLICY_'))).toBe(true)
    const error = refused(() =>
      verifySigned(signed, root, { policy: { identities: [{ subject: { exact: 'x' }, issuer: 'y' }] } }),
    )
    expect(error).toBeInstanceOf(PolicyError)
    expect(error).not.toBeInstanceOf(VerifyError)
  })

  it('a broken signature before it asks for the identity', () => {
    const identities = [{ subject: { exact: 'somebody else' }, issuer: 'y' }]
    const artifact = { bytes: utf8Encode('changed') }
    expect(() => verifySigned(signed, root, { artifact, policy: { identities } })).toThrowCode(
      'VERIFY_ARTIFACT_CHANGED',
    )
  })
})
