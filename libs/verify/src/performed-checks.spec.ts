import { beforeAll, describe, expect, it } from '@jest/globals'
import { enforcePolicy, type Policy } from './policy.js'
import type { PerformedCheck, VerifiedSigner } from './result.js'
import { OIDC_ISSUER, SAN } from './testing/instance.js'
import { FORMS } from './testing/signing.js'
import { IDENTITIES, verifySigned } from './testing/verifying.js'
import { ATT, KEY, make, prepareWorkshop, root, V2 } from './testing/workshop.js'

beforeAll(prepareWorkshop)

const TYPE = 'https://slsa.dev/provenance/v1'
const policyChecks = (checks: readonly PerformedCheck[]): PerformedCheck[] =>
  checks.slice(checks.findIndex(({ check }) => check === 'identity'))

describe('the checks of a result', () => {
  it.each(FORMS.map(({ name }) => name))('each say what was held against what, for a %s', async (name) => {
    const { checks } = verifySigned(await make(name), root)
    expect(checks.length).toBeGreaterThan(5)
    for (const one of checks) {
      expect(Object.keys(one).sort()).toEqual(['against', 'check', 'subject'])
      for (const text of Object.values(one)) expect(text).toMatch(/^[^]+$/)
    }
  })

  it('end with the identity that the policy wants, and its issuer', async () => {
    const { checks } = verifySigned(await make(V2), root)
    expect(policyChecks(checks)).toEqual([
      { check: 'identity', subject: SAN.value, against: SAN.value },
      { check: 'issuer', subject: OIDC_ISSUER, against: OIDC_ISSUER },
    ])
  })

  it('have the pattern, each extension, the content and the predicate type, when the policy wants them', async () => {
    const signed = await make(ATT, { leaf: { extensions: { buildTrigger: 'push' } } })
    const policy: Policy = {
      identities: [{ subject: { pattern: 'dev@.*' }, issuer: OIDC_ISSUER, extensions: { buildTrigger: 'push' } }],
      predicateTypes: [TYPE],
    }
    expect(policyChecks(verifySigned(signed, root, { policy }).checks)).toEqual([
      { check: 'identity', subject: SAN.value, against: '/dev@.*/' },
      { check: 'issuer', subject: OIDC_ISSUER, against: OIDC_ISSUER },
      { check: 'extension', subject: 'buildTrigger push', against: 'push' },
      { check: 'content', subject: 'attestation', against: 'attestation' },
      { check: 'predicate type', subject: TYPE, against: TYPE },
    ])
  })

  it('have no identity for a key, which is its own', async () => {
    const { checks } = verifySigned(await make(KEY), root)
    expect(checks.map(({ check }) => check)).toEqual([
      'public key',
      'artifact digest',
      'signature',
      'timestamp',
      'log entry body',
      'checkpoint',
      'inclusion proof',
      'log threshold',
      'log key period',
    ])
  })
})

describe('a policy at its limits', () => {
  it('takes a threshold of 32, and none for one that is not said', async () => {
    const signed = await make(V2)
    const asks = (logs: number | undefined) => () =>
      verifySigned(signed, root, { policy: { identities: IDENTITIES, thresholds: { logs } as never } })
    expect(asks(32)).toThrowCode('VERIFY_LOG_THRESHOLD')
    expect(asks(33)).toThrowCode('POLICY_INVALID')
    expect(asks(undefined)().logEntries).toHaveLength(1)
  })

  it('reads patterns by characters, not by halves of them', () => {
    const signer: VerifiedSigner = {
      kind: 'certificate',
      subject: { type: 'otherName', value: '\u{1f600}!example.com' },
      issuer: OIDC_ISSUER,
      extensions: {},
      certificate: new Uint8Array(0),
    }
    const policy: Policy = { identities: [{ subject: { pattern: '.!example\\.com' }, issuer: OIDC_ISSUER }] }
    expect(enforcePolicy(policy, signer, { kind: 'message' })).toHaveLength(2)
  })
})
