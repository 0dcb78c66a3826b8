import { isDeepStrictEqual } from 'node:util'
import { utf8Encode } from '@touchmark/encoding'
import { parseCaConfiguration } from '../../../apps/cli/dist/identity/ca-configuration.js'
import { forecast } from '../../../apps/cli/dist/identity/forecast.js'
import { readGrant } from '../../../apps/cli/dist/oidc/id-token.js'
import { holds } from '../parts/drive.mjs'
import { fromJson } from '../parts/generate.mjs'

const NOW = new Date('2026-06-01T12:00:00Z')
const provider = { issuer: 'https://login.example.com', clientId: 'sigstore' }
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: provider.issuer, aud: 'sigstore', sub: 'user-1', email: 'dev@example.com', email_verified: true }
const token = (header, more) => `${part(header)}.${part({ ...claims, exp: 1_900_000_000, ...more })}.c2ln`

const grants = [
  { id_token: token({ alg: 'RS256' }), access_token: 'x', refresh_token: 'r', token_type: 'Bearer' },
  { id_token: token({ alg: 'ES256', kid: 'k' }, { aud: ['other', 'sigstore'], azp: 'sigstore', nonce: 'n' }) },
  { id_token: token({ alg: 'none' }) },
].map((grant) => JSON.stringify(grant))

const grant = {
  name: 'token answer',
  weight: 2,
  ...fromJson(grants),
  read: (input) => readGrant(provider, input),
  check: ({ idToken, refreshToken }) => {
    const again = utf8Encode(JSON.stringify({ id_token: idToken, refresh_token: refreshToken }))
    holds(
      isDeepStrictEqual(readGrant(provider, again), { idToken, refreshToken }),
      'the answer reads otherwise when it is written again',
    )
  },
}

const issuer = {
  audience: 'sigstore',
  challengeClaim: 'sub',
  subjectDomain: 'example.com',
  spiffeTrustDomain: 'example.com',
}
const configurations = [
  { issuers: [{ ...issuer, issuerUrl: provider.issuer, issuerType: 'email', skipEmailVerification: false }] },
  {
    issuers: [
      'uri',
      'username',
      'spiffe',
      'kubernetes',
      'github-workflow',
      'gitlab-pipeline',
      'buildkite-job',
      'ci-provider',
    ].map((issuerType) => ({ ...issuer, wildcardIssuerUrl: 'https://*.example.com', issuerType })),
  },
].map((configuration) => JSON.stringify(configuration))
const found = {
  token: token({ alg: 'RS256' }),
  claims: { issuer: provider.issuer, audiences: ['sigstore'], expiresAt: new Date('2026-06-01T12:10:00Z') },
  source: 'given',
}

const configuration = {
  name: 'CA configuration',
  weight: 2,
  ...fromJson(configurations),
  read: parseCaConfiguration,
  check: (read) => {
    const { state, name } = forecast(found, read, NOW)
    holds(state !== 'known' || (typeof name === 'string' && name !== ''), 'a certificate for nobody')
  },
}

export const loginParsers = [grant, configuration]
