import { beforeAll, describe, expect, it } from '@jest/globals'
import type { VerificationResult } from './index.js'
import { PolicyError, POLICY_ERROR_CODES, validatePolicy, type IdentityPolicy, type Policy } from './index.js'
import { OIDC_ISSUER, SAN } from './testing/instance.js'
import type { Signed } from './testing/signing.js'
import { IDENTITIES, verifySigned } from './testing/verifying.js'
import { ATT, KEY, make, prepareWorkshop, refused, root, V2 } from './testing/workshop.js'

const EXTENSIONS = { sourceRepositoryUri: 'https://git.example.com/app', buildTrigger: 'push' }
let message: Signed
let attestation: Signed
beforeAll(async () => {
  await prepareWorkshop()
  message = await make(V2, { leaf: { extensions: EXTENSIONS } })
  attestation = await make(ATT)
})

const verify = (policy: Policy, signed = message): VerificationResult => verifySigned(signed, root, { policy })
const identity = (change: Partial<IdentityPolicy>): Policy => ({ identities: [{ ...IDENTITIES[0]!, ...change }] })
const pattern = (text: string): Policy => identity({ subject: { pattern: text } })

describe('a policy', () => {
  it.each<[string, string, Policy]>([
    ['that is empty', 'POLICY_EMPTY', {}],
    ['without identities', 'POLICY_EMPTY', { identities: [] }],
    ['with an empty identity', 'POLICY_EMPTY', identity({ subject: { exact: '' } })],
    ['with an empty pattern', 'POLICY_EMPTY', pattern('')],
    ['with an empty issuer', 'POLICY_EMPTY', identity({ issuer: '' })],
    ['with a pattern that is none', 'POLICY_INVALID', pattern('(')],
    ['with a pattern that breaks out of its group', 'POLICY_INVALID', pattern('x)|(.*')],
    ['with a threshold of zero', 'POLICY_INVALID', { identities: IDENTITIES, thresholds: { logs: 0 } }],
    ['with a negative threshold', 'POLICY_INVALID', { identities: IDENTITIES, thresholds: { certificateLogs: -1 } }],
    ['with half a threshold', 'POLICY_INVALID', { identities: IDENTITIES, thresholds: { times: 0.5 } }],
    [
      'with a threshold that is no number',
      'POLICY_INVALID',
      { identities: IDENTITIES, thresholds: { times: Number.NaN } },
    ],
    ['with an endless threshold', 'POLICY_INVALID', { identities: IDENTITIES, thresholds: { times: 33 } }],
    ['with an empty list of predicate types', 'POLICY_INVALID', { identities: IDENTITIES, predicateTypes: [] }],
    [
      'for a message of a predicate type',
      'POLICY_INVALID',
      { identities: IDENTITIES, content: 'message', predicateTypes: ['x'] },
    ],
    ['with an extension that does not exist', 'POLICY_INVALID', identity({ extensions: { nothing: 'x' } as never })],
    ['with the issuer as an extension', 'POLICY_INVALID', identity({ extensions: { issuerV2: 'x' } as never })],
  ])('%s is refused: %s', (_name, code, policy) => {
    expect(() => validatePolicy(policy, 'certificate')).toThrowCode(code)
    expect(() => verify(policy)).toThrowCode(code)
  })

  it.each<[string, string, Policy]>([
    ['another identity', 'POLICY_IDENTITY_MISMATCH', identity({ subject: { exact: 'other@example.com' } })],
    [
      'an identity in another letter case',
      'POLICY_IDENTITY_MISMATCH',
      identity({ subject: { exact: SAN.value.toUpperCase() } }),
    ],
    ['a part of the identity', 'POLICY_IDENTITY_MISMATCH', identity({ subject: { exact: 'dev' } })],
    ['a pattern for its beginning', 'POLICY_IDENTITY_MISMATCH', pattern('dev@')],
    ['a pattern for its end', 'POLICY_IDENTITY_MISMATCH', pattern('@example\\.com')],
    ['a pattern of two, neither the whole', 'POLICY_IDENTITY_MISMATCH', pattern('dev|example')],
    ['another issuer', 'POLICY_ISSUER_MISMATCH', identity({ issuer: 'https://oidc.example.org' })],
    ['the issuer with a slash', 'POLICY_ISSUER_MISMATCH', identity({ issuer: `${OIDC_ISSUER}/` })],
    ['a part of the issuer', 'POLICY_ISSUER_MISMATCH', identity({ issuer: 'https://oidc' })],
    ['another value of an extension', 'POLICY_EXTENSION_MISMATCH', identity({ extensions: { buildTrigger: 'pull' } })],
    [
      'an extension that is not there',
      'POLICY_EXTENSION_MISMATCH',
      identity({ extensions: { runnerEnvironment: 'x' } }),
    ],
    ['an attestation', 'POLICY_CONTENT_MISMATCH', { identities: IDENTITIES, content: 'attestation' }],
    [
      'a predicate type',
      'POLICY_CONTENT_MISMATCH',
      { identities: IDENTITIES, predicateTypes: ['https://slsa.dev/provenance/v1'] },
    ],
  ])('that wants %s refuses a message of somebody else', (_name, code, policy) => {
    expect(() => verify(policy)).toThrowCode(code)
    expect(() => verify(policy)).toThrow(PolicyError)
  })

  it.each<[string, Policy]>([
    ['the identity', { identities: IDENTITIES }],
    ['a pattern for all of it', pattern('[a-z]+@example\\.com')],
    ['a pattern of two, one the whole', pattern('nobody|dev@example\\.com')],
    ['extensions', identity({ extensions: EXTENSIONS })],
    ['a message', { identities: IDENTITIES, content: 'message' }],
    ['the second of two', { identities: [{ subject: { exact: 'x' }, issuer: 'y' }, ...IDENTITIES] }],
  ])('that wants %s is met', (_name, policy) => {
    expect(verify(policy).signer.kind).toBe('certificate')
  })

  it('tells of the identity that fits but for its issuer, and else of all', () => {
    const other = (exact: string): IdentityPolicy => ({ subject: { exact }, issuer: 'y' })
    const details = (identities: IdentityPolicy[]): unknown => {
      const error = refused(() => verify({ identities })) as PolicyError
      return [error.code, error.details.expected, error.details.found]
    }
    const issuer = [other('x'), { ...IDENTITIES[0]!, issuer: 'z' }, other('y')]
    expect(details(issuer)).toEqual(['POLICY_ISSUER_MISMATCH', 'z', OIDC_ISSUER])
    expect(details([other('x'), other('y')])).toEqual(['POLICY_IDENTITY_MISMATCH', 'x or y', SAN.value])
    const five = ['a', 'b', 'c', 'd', 'e'].map(other)
    expect(details(five)).toEqual(['POLICY_IDENTITY_MISMATCH', 'a or b or c or d or e', SAN.value])
    expect(details([...five, other('f'), other('g')])).toEqual([
      'POLICY_IDENTITY_MISMATCH',
      'a or b or c or d or e, or one of 2 more',
      SAN.value,
    ])
  })

  it('may name the kind of attestation', () => {
    const wants = (change: Partial<Policy>): VerificationResult =>
      verify({ identities: IDENTITIES, ...change }, attestation)
    const type = 'https://slsa.dev/provenance/v1'
    expect(wants({ content: 'attestation' }).content.kind).toBe('attestation')
    expect(wants({ predicateTypes: ['other', type] }).checks.at(-1)).toMatchObject({
      check: 'predicate type',
      subject: type,
    })
    expect(() => wants({ predicateTypes: ['other'] })).toThrowCode('POLICY_PREDICATE_TYPE_MISMATCH')
    expect(() => wants({ predicateTypes: [`${type}x`] })).toThrowCode('POLICY_PREDICATE_TYPE_MISMATCH')
    expect(() => wants({ content: 'message' })).toThrowCode('POLICY_CONTENT_MISMATCH')
  })

  it('names no identity beside a key', async () => {
    const signed = await make(KEY)
    expect(() => verify({ identities: IDENTITIES }, signed)).toThrowCode('POLICY_INVALID')
    expect(() => verify({ identities: [] }, signed)).toThrowCode('POLICY_INVALID')
  })

  it('is for names of every kind', async () => {
    for (const san of [
      { type: 'uri', value: 'https://git.example.com/app@refs/heads/main' },
      { type: 'otherName', value: 'robot!example.com' },
    ] as const) {
      const signed = await make(V2, { leaf: { san } })
      expect(verify(identity({ subject: { exact: san.value } }), signed).signer).toMatchObject({ subject: san })
    }
  })

  it('says what to do, with every code', () => {
    expect(POLICY_ERROR_CODES).toHaveLength(7)
    for (const code of POLICY_ERROR_CODES)
      expect(new PolicyError(code, 'x', { check: 'x', expected: 'x', found: 'x' }).details.hint).toMatch(/./)
  })
})
