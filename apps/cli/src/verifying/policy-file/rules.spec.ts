import { describe, expect, it } from '@jest/globals'
import { policyOf, ruleFor } from './rules.js'
import type { Rule } from './types.js'

const IDENTITY = { subject: { exact: 'a@example.com' }, issuer: 'https://login.example.com' }
const rule = (name: string, files: string[], more: Partial<Rule> = {}): Rule => ({
  name,
  files,
  identities: [IDENTITY],
  keys: [],
  content: 'message',
  ...more,
})
const TYPE = 'https://slsa.dev/provenance/v1'
const ATTESTATIONS: Partial<Rule> = { content: 'attestation', predicateTypes: [TYPE] }

describe('ruleFor', () => {
  const rules = [
    rule('special', ['dist/special', 'x']),
    rule('statements', ['**'], ATTESTATIONS),
    rule('all', ['dist/*']),
    rule('later', ['dist/**']),
  ]

  it('takes the first rule that is about the file and about what is asked', () => {
    expect(ruleFor(rules, 'dist/special', 'signature').name).toBe('special')
    expect(ruleFor(rules, 'a/x', 'signature').name).toBe('special')
    expect(ruleFor(rules, 'dist/other', 'signature').name).toBe('all')
    expect(ruleFor(rules, 'dist/a/b', 'signature').name).toBe('later')
    expect(ruleFor(rules, 'dist/special', 'attestation').name).toBe('statements')
  })

  it('refuses what no rule is about', () => {
    expect(() => ruleFor(rules, 'elsewhere', 'signature')).toThrowCode('CLI_POLICY_NO_RULE')
    expect(() => ruleFor(rules.slice(0, 1), 'x', 'attestation')).toThrowCode('CLI_POLICY_NO_RULE')
  })
})

describe('policyOf', () => {
  it('names identities for certificates alone', () => {
    expect(policyOf(rule('a', ['*']), 'certificate', 'signature', undefined)).toEqual({
      identities: [IDENTITY],
      content: 'message',
    })
    expect(policyOf(rule('a', ['*']), 'key', 'signature', undefined)).toEqual({ content: 'message' })
  })

  it('wants an attestation where one is asked for, and the types that both rule and command line name', () => {
    const flags: Rule = { name: 'command line', files: ['**'], identities: [IDENTITY], keys: [] }
    expect(policyOf(flags, 'key', 'signature', undefined)).toEqual({})
    expect(policyOf(flags, 'key', 'attestation', undefined)).toEqual({ content: 'attestation' })
    expect(policyOf(flags, 'key', 'attestation', ['urn:a'])).toEqual({
      content: 'attestation',
      predicateTypes: ['urn:a'],
    })
    const one = rule('a', ['*'], { ...ATTESTATIONS, thresholds: { logs: 2 } })
    expect(policyOf(one, 'key', 'attestation', [TYPE, 'urn:a'])).toEqual({
      content: 'attestation',
      predicateTypes: [TYPE],
      thresholds: { logs: 2 },
    })
    expect(policyOf(one, 'key', 'attestation', undefined).predicateTypes).toEqual([TYPE])
    expect(() => policyOf(one, 'key', 'attestation', ['urn:a'])).toThrowCode('CLI_POLICY_NO_RULE')
  })
})
