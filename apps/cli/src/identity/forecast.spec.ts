import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { readTokenClaims } from '@touchmark/sign'
import { unsignedToken } from '../testing/provider.js'
import { parseCaConfiguration } from './ca-configuration.js'
import { forecast, type Forecast } from './forecast.js'

const NOW = new Date('2026-06-01T12:00:00Z')
const LOGIN = 'https://login.example.com'
const GITHUB = 'https://token.actions.githubusercontent.com'
const CLAIMS = {
  iss: LOGIN,
  sub: 'user-1',
  email: 'dev@example.com',
  email_verified: true,
  aud: 'sigstore',
  exp: NOW.getTime() / 1000 + 600,
}

const issuer = (change: object = {}): object => ({
  issuerUrl: LOGIN,
  audience: 'sigstore',
  issuerType: 'email',
  challengeClaim: 'email',
  subjectDomain: '',
  spiffeTrustDomain: '',
  skipEmailVerification: false,
  ...change,
})
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

function told(claims: object = {}, ...issuers: object[]): Forecast {
  const token = unsignedToken({ ...CLAIMS, ...claims })
  const configuration = parseCaConfiguration(bytes({ issuers: issuers.length === 0 ? [issuer()] : issuers }))
  return forecast({ token, claims: readTokenClaims(token), source: 'given' }, configuration, NOW)
}

describe('forecast', () => {
  it('says what the certificate would say', () => {
    expect(told()).toEqual({
      state: 'known',
      name: 'dev@example.com',
      kind: 'email',
      issuer: LOGIN,
      extensions: { tokenSubject: 'user-1' },
    })
  })

  it('uses the rules of the kind, its extensions, and wildcards', () => {
    const actions = {
      iss: GITHUB,
      sub: 'repo:o/r:ref:refs/heads/main',
      email: undefined,
      job_workflow_ref: 'o/r/.github/workflows/w.yml@refs/heads/main',
      sha: 'a'.repeat(40),
      event_name: 'push',
      repository: 'o/r',
      workflow: 'w',
      ref: 'refs/heads/main',
      job_workflow_sha: 'b'.repeat(40),
      runner_environment: 'github-hosted',
      repository_id: '1',
      repository_owner: 'o',
      repository_owner_id: '2',
      repository_visibility: 'public',
      workflow_ref: 'o/r/.github/workflows/w.yml@refs/heads/main',
      workflow_sha: 'c'.repeat(40),
      run_id: '3',
      run_attempt: '1',
    }
    expect(told(actions, issuer({ issuerUrl: GITHUB, issuerType: 'github-workflow' }))).toMatchObject({
      state: 'known',
      kind: 'uri',
      name: expect.stringContaining('/o/r/.github/workflows/w.yml@refs/heads/main'),
      extensions: expect.objectContaining({ sourceRepositoryRef: 'refs/heads/main' }),
    })
    const wildcard = issuer({
      issuerUrl: undefined,
      wildcardIssuerUrl: 'https://oidc.*.example.com',
      issuerType: 'kubernetes',
    })
    const pod = {
      iss: 'https://oidc.eu.example.com',
      email: undefined,
      'kubernetes.io': { namespace: 'n', serviceaccount: { name: 's' } },
    }
    expect(told(pod, wildcard)).toMatchObject({
      state: 'known',
      name: 'https://kubernetes.io/namespaces/n/serviceaccounts/s',
    })
  })

  it.each<[string, object, object]>([
    ['has expired', { exp: NOW.getTime() / 1000 - 61 }, {}],
    ['never expires', { exp: undefined }, {}],
    ['is of an unknown issuer', { iss: `${LOGIN}/` }, {}],
    ['is for another audience', { aud: 'other' }, {}],
    ['is for nobody', { aud: undefined }, {}],
    ['is for the audience of another issuer', {}, { audience: 'other' }],
    ['is of a kind that wants other claims', {}, { issuerType: 'github-workflow' }],
    ['is of a kind that nobody knows', {}, { issuerType: 'x' }],
    ['has an e-mail that is none', { email: 'nobody' }, {}],
  ])('says that a token is refused that %s', (_what, claims, change) => {
    expect(told(claims, issuer(change))).toMatchObject({
      state: 'refused',
      why: expect.any(String),
      hint: expect.any(String),
    })
  })

  it('allows a minute for the clocks', () => {
    expect(told({ exp: NOW.getTime() / 1000 - 59 }).state).toBe('known')
  })

  it('does not guess what templates make', () => {
    expect(told({}, issuer({ issuerType: 'ci-provider' }))).toMatchObject({ state: 'unknown' })
  })
})

describe('parseCaConfiguration', () => {
  it.each([
    [],
    null,
    5,
    {},
    { issuers: {} },
    { issuers: [5] },
    { issuers: [null] },
    { issuers: Array.from({ length: 1001 }, () => issuer()) },
  ])('refuses %j', (value) => {
    expect(() => parseCaConfiguration(bytes(value))).toThrowCode('CLI_INSTANCE_ANSWER')
  })

  it('throws coded errors alone, and whatever it reads can be asked for a forecast', () => {
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .array(fc.dictionary(fc.constantFrom(...Object.keys(issuer()), 'wildcardIssuerUrl'), fc.jsonValue()), {
          maxLength: 3,
        })
        .map((issuers) => bytes({ issuers })),
    )
    const token = unsignedToken(CLAIMS)
    fc.assert(
      fc.property(any, (body) => {
        try {
          forecast({ token, claims: readTokenClaims(token), source: 'given' }, parseCaConfiguration(body), NOW)
        } catch (error) {
          expect(isCodedError(error)).toBe(true)
        }
      }),
    )
  })
})
