import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { recordedConfiguration, repositoryFile } from '../testing/vectors.js'
import { parseIssuerConfig } from './parse-config.js'

const URL_ = 'https://accounts.example.com'
const one = (settings: string, url = URL_): string =>
  `oidc-issuers:\n  "${url}": {issuer-url: "${url}", client-id: sigstore, ${settings}}\n`

function messageOf(text: string): string {
  try {
    parseIssuerConfig(text)
    return ''
  } catch (error) {
    return isCodedError(error) && error.code === 'IDENTITY_CONFIG_INVALID'
      ? error.message
      : `not refused properly: ${String(error)}`
  }
}

describe('the configuration file', () => {
  it('reads the recorded one, without a warning', () => {
    const { issuers, ciProviders, warnings } = recordedConfiguration()
    expect(issuers).toHaveLength(20)
    expect([...ciProviders.keys()]).toContain('circleci-job')
    expect(warnings).toEqual([])
  })

  it('reads all members of an issuer', () => {
    const [issuer] = parseIssuerConfig(
      one('type: email, issuer-claim: $.a.b, challenge-claim: x, skip-email-verification: yes, description: d'),
    ).issuers
    expect(issuer).toEqual({
      url: URL_,
      wildcard: false,
      clientId: 'sigstore',
      type: 'email',
      ciProvider: '',
      issuerClaim: ['a', 'b'],
      subjectDomain: '',
      spiffeTrustDomain: '',
      challengeClaim: 'x',
      caCert: '',
      skipEmailVerification: true,
    })
  })

  it('reads JSON by its Go names', () => {
    const json = {
      OIDCIssuers: { [URL_]: { IssuerURL: URL_, ClientID: 'c', Type: 'ci-provider', CIProvider: 'x' } },
      MetaIssuers: { 'https://*.example.com': { ClientID: 'c', Type: 'email', SkipEmailVerification: true } },
      CIIssuerMetadata: {
        x: {
          DefaultTemplateValues: { a: 'b' },
          ExtensionTemplates: { BuildTrigger: 'a' },
          SubjectAlternativeNameTemplate: '{{ .a }}',
        },
      },
    }
    const { issuers, ciProviders, warnings } = parseIssuerConfig(JSON.stringify(json))
    expect(issuers.map(({ url, type, skipEmailVerification }) => [url, type, skipEmailVerification])).toEqual([
      [URL_, 'ci-provider', false],
      ['https://*.example.com', 'email', true],
    ])
    expect(ciProviders.get('x')?.extensions.get('buildTrigger')).toEqual({ kind: 'value', name: 'a' })
    expect(warnings).toEqual([])
  })

  it('finds nothing under the other format’s names, and says so', () => {
    expect(parseIssuerConfig('{"oidc-issuers": {"a": {"type": "email"}}}').issuers).toEqual([])
    const { issuers, warnings } = parseIssuerConfig('OIDCIssuers:\n  a: {Type: email}\n')
    expect(issuers).toEqual([])
    expect(warnings).toEqual(['the file configures no issuer that can be used'])
  })

  it('takes an empty file, unknown keys, anchors, merges, nulls and scalars of other types', () => {
    expect(parseIssuerConfig('').issuers).toEqual([])
    const text = `
define:
  - &type email
  - &base {client-id: 123, type: *type, subject-domain: ~, nothing:}
unknown: [1, {a: b}]
oidc-issuers:
  ${URL_}: {<<: *base, issuer-url: "${URL_}", ca-cert: null}
`
    expect(parseIssuerConfig(text).issuers[0]).toMatchObject({
      clientId: '123',
      type: 'email',
      subjectDomain: '',
      caCert: '',
    })
  })

  it('keeps a quoted null as text', () => {
    expect(parseIssuerConfig(one('type: email, challenge-claim: "null"')).issuers[0]!.challengeClaim).toBe('null')
  })

  it.each([
    ['email', 'email'],
    ['chainguard-identity', 'sub'],
    ['kubernetes', 'sub'],
  ])('type %s has challenge claim %s', (type, claim) => {
    expect(parseIssuerConfig(one(`type: ${type}`)).issuers[0]!.challengeClaim).toBe(claim)
  })

  it.each([
    ['duplicate keys', `a: 1\na: 2\n`],
    ['duplicate JSON members', '{"OIDCIssuers": {}, "OIDCIssuers": {}}'],
    ['a list', '[]'],
    ['text', 'just text'],
    ['an issuer that is a list', 'oidc-issuers: {a: []}'],
    ['issuers that are a list', 'oidc-issuers: [a]'],
    ['a client-id that is a list', 'oidc-issuers: {a: {client-id: [b]}}'],
    ['a flag that is none', one('type: email, skip-email-verification: maybe')],
    ['broken YAML', 'a: [1'],
    ['an unknown alias', 'a: *b'],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(10)}]\nc: &c [${'*b,'.repeat(10)}]\nd: &d [${'*c,'.repeat(10)}]\noidc-issuers: *d`,
    ],
  ])('refuses %s', (_, text) => {
    expect(messageOf(text)).toMatch(/^parse: /)
  })

  // Fulcio v1.8.8's texts at start (ca.md §6).
  it.each([
    [one('type: kubernetes, issuer-claim: $.a'), 'only email issuers can use issuer claim mapping'],
    [one('type: spiffe'), 'spiffe issuer must have SPIFFETrustDomain set'],
    [one('type: spiffe, spiffe-trust-domain: Not Valid'), 'spiffe trust domain is invalid'],
    [one('type: uri'), 'uri issuer must have SubjectDomain set'],
    [one('type: uri, subject-domain: example.com'), 'SubjectDomain for uri must contain scheme'],
    [
      one('type: uri, subject-domain: "https://example.com"', 'http://example.com'),
      'subject (https) and issuer (http) URI schemes do not match',
    ],
    [one('type: username'), 'username issuer must have SubjectDomain set'],
    [
      one('type: username, subject-domain: "https://example.com"'),
      'SubjectDomain for username should not contain scheme',
    ],
    [one('type: username, subject-domain: com'), 'URI hostname too short: com'],
    [one('type: username, subject-domain: example.com', 'https://localhost'), 'URI hostname too short: localhost'],
    [
      one('type: uri, subject-domain: "https://other.com"'),
      'hostname top-level and second-level domains do not match: other.com, accounts.example.com',
    ],
    [one('type: uri, subject-domain: "https://exa%zz"'), 'parse "https://exa%zz": invalid URL escape "%zz"'],
    [one('type: odd'), 'issuer missing challenge claim'],
    [one('description: no type'), 'issuer missing challenge claim'],
    [one('type: email, ca-cert: junk'), `failed to parse CA certificate for issuer ${URL_}`],
    ['meta-issuers: {"https://*": {type: spiffe, spiffe-trust-domain: a}}', 'SPIFFE meta issuers not supported'],
    ['meta-issuers: {"https://*": {type: odd}}', 'issuer missing challenge claim'],
    ['ci-issuer-metadata: {x: {subject-alternative-name-template: "{{end}}"}}', 'template: :1: unexpected {{end}}'],
    ['ci-issuer-metadata: {x: {extension-templates: {build-trigger: "{{ .a"}}}', 'template: :1: unclosed action'],
  ])('refuses at start: %j', (text, message) => {
    expect(messageOf(text)).toBe(`validate: ${message}`)
  })

  it.each([
    one('type: username, subject-domain: localhost', 'http://localhost'),
    one('type: uri, subject-domain: "https://users.example.com"'),
    one('type: spiffe, spiffe-trust-domain: "spiffe://example.org"'),
    'meta-issuers: {"https://*.example.com": {client-id: c, type: kubernetes, issuer-claim: "$[?(@.a)]"}}',
  ])('accepts %j', (text) => {
    expect(parseIssuerConfig(text).warnings).toEqual([])
  })

  it('refuses a JSONPath that it would not follow as Fulcio does', () => {
    expect(messageOf(one('type: email, issuer-claim: $..a'))).toMatch(/^validate: /)
  })

  it.each([
    [
      'a key that is not the issuer-url',
      `oidc-issuers: {"${URL_}/": {issuer-url: "${URL_}", client-id: c, type: email}}`,
      'must equal the key',
    ],
    ['no client-id', `oidc-issuers: {"${URL_}": {issuer-url: "${URL_}", type: email}}`, 'no client-id'],
    ['no metadata', one('type: ci-provider, ci-provider: x'), 'no ci-issuer-metadata'],
    [
      'no subject template',
      `${one('type: ci-provider, ci-provider: x')}ci-issuer-metadata: {x: {}}`,
      'no subject-alternative-name-template',
    ],
    ['an unknown type', one('type: odd, challenge-claim: sub'), 'unknown type'],
  ])('starts with %s, and warns', (_, text, warning) => {
    expect(parseIssuerConfig(text).warnings.join()).toContain(warning)
  })

  it('takes a CA certificate', () => {
    const pem = repositoryFile('test/vectors/fulcio/certificates/chain-root.pem')
    const [issuer] = parseIssuerConfig(one(`type: email, ca-cert: ${JSON.stringify(pem)}`)).issuers
    expect(issuer!.caCert).toBe(pem)
  })

  it('reads or refuses any text', () => {
    const part = fc.constantFrom(
      'oidc-issuers',
      'meta-issuers',
      ':',
      ' ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '"',
      'a',
      'type',
      'email',
      'issuer-claim',
      '$',
      '*',
      '&a',
      '<<',
      ',',
      '-',
      '~',
      '|',
      '{{',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(part, { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            return Array.isArray(parseIssuerConfig(text).issuers)
          } catch (error) {
            return isCodedError(error)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
