import { describe, expect, it } from '@jest/globals'
import { isCodedError } from '@touchmark/errors'
import { parseIssuerConfig } from '../config/parse-config.js'
import { identify, principalOf } from '../identify.js'
import type { Claims, Principal } from '../principal.js'
import { issuerOf, recordedConfiguration } from '../testing/vectors.js'

const configuration = recordedConfiguration()
const SITE = 'http://localhost:7900'

function principal(iss: string, claims: Claims): Principal {
  return principalOf({ iss, ...claims }, issuerOf(configuration, iss), configuration)
}
const without = (claims: Claims, ...names: string[]): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)))

describe('ci-provider', () => {
  const misc = {
    iss: `${SITE}/ci-misc`,
    sub: 's',
    num: 1,
    big: 2,
    float: 1.5,
    bool: true,
    arr: [],
    obj: {},
    nul: null,
    empty: '',
    neg: -7,
    san: 'x',
  }
  const message = (claims: Claims): string => {
    try {
      principal(`${SITE}/ci-misc`, claims)
      return ''
    } catch (error) {
      return isCodedError(error) && error.code === 'IDENTITY_SUBJECT_INVALID' ? error.message : String(error)
    }
  }

  it('names a missing value in Fulcio’s words', () => {
    const rest = without(misc, 'num')
    expect(message(rest)).toBe(
      `value <num> not present in either claims or defaults. {\n\t"ExtensionName": "GithubWorkflowTrigger",\n\t"Issuer": "${SITE}/ci-misc"\n}`,
    )
  })

  it('makes the subject before the extensions', () => {
    const rest = without(misc, 'num', 'san')
    expect(message(rest)).toBe('template: :1:14: executing "" at <.san>: map has no entry for key "san"')
  })

  it('refuses a subject that does not parse as a URL', () => {
    expect(message({ ...misc, san: '%zz' })).toBe('parse "https://ci.example.com/%zz": invalid URL escape "%zz"')
  })

  it('refuses a subject that is not an absolute URI, which Fulcio certifies', () => {
    expect(message({ ...misc, url: '' })).toBe('the subject alternative name "/x" is not an absolute URI')
  })

  it('lets a claim win over a default, and takes issuer and subject from the token alone', () => {
    const made = principal(`${SITE}/ci-misc`, { ...misc, url: 'https://other.example.com', Issuer: 'x', Subject: 'y' })
    expect(made.subject.value).toBe('https://other.example.com/x')
    expect([made.issuer, made.extensions.tokenSubject]).toEqual([`${SITE}/ci-misc`, 's'])
  })

  it('leaves out what is empty', () => {
    expect(principal(`${SITE}/ci-misc`, misc).extensions).not.toHaveProperty('buildConfigDigest')
  })

  it('escapes in its error text what Go’s JSON escapes', () => {
    const url = 'https://a.example.com/<&>'
    const other = parseIssuerConfig(
      `oidc-issuers: {"${url}": {issuer-url: "${url}", client-id: c, type: ci-provider, ci-provider: x}}\nci-issuer-metadata: {x: {subject-alternative-name-template: nope}}`,
    )
    const made = identify({ iss: url, sub: 's' }, issuerOf(other, url), other)
    expect(() => made.principal()).toThrow('"Issuer": "https://a.example.com/\\u003c\\u0026\\u003e"')
  })

  it('refuses an empty subject template in Fulcio’s words', () => {
    const url = 'https://a.example.com'
    const other = parseIssuerConfig(
      `oidc-issuers: {"${url}": {issuer-url: "${url}", client-id: c, type: ci-provider, ci-provider: x}}\nci-issuer-metadata: {x: {extension-templates: {build-trigger: sub}}}`,
    )
    const made = identify({ iss: url, sub: 's' }, issuerOf(other, url), other)
    expect(() => made.principal()).toThrow(`SubjectAlternativeNameTemplate should not be empty. Issuer: ${url}`)
  })
})
