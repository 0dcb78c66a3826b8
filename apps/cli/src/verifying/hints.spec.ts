import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CodedError } from '@touchmark/errors'
import { POLICY_ERROR_CODES, PolicyError, VERIFY_ERROR_CODES, VerifyError } from '@touchmark/verify'
import { hintFor } from './hints.js'

const REFUSAL = { check: 'c', expected: 'e', found: 'f' }
const codesIn = (file: string, pattern: RegExp): string[] =>
  [...new Set([...readFileSync(file, 'utf8').matchAll(pattern)].map(([code]) => code))].sort()

/** Every code that a verification can end with. */
const ERRORS: CodedError[] = [
  ...VERIFY_ERROR_CODES.map((code) => new VerifyError(code, '', REFUSAL)),
  ...POLICY_ERROR_CODES.map((code) => new PolicyError(code, '', REFUSAL)),
  ...[
    ...codesIn('libs/bundle/src/errors.ts', /\bBUNDLE_[A-Z_]+/g),
    ...codesIn('libs/trust/src/errors.ts', /\bTRUST_(?!SERVICE)[A-Z_]+/g),
    ...codesIn(
      'apps/cli/src/errors.ts',
      /\bCLI_(?:USAGE|FILE_UN[A-Z_]+|BUNDLE_[A-Z_]+|NOTHING_[A-Z_]+|POLICY_[A-Z_]+)/g,
    ),
    'KEYFILE_PUBLIC_KEY_INVALID',
  ].map((code) => new CodedError(code, '')),
]

describe('hintFor', () => {
  it.each(ERRORS.map((error) => [error.code, error] as const))('says what to do about %s', (_code, error) => {
    expect(hintFor(error)).toMatch(/^[A-Z].{14,}[.]$/)
  })

  it('looks at more than 70 codes, and prefers what the error says itself', () => {
    expect(ERRORS.length).toBeGreaterThan(70)
    expect(hintFor(new CodedError('CLI_USAGE', '', { hint: 'Do that.' }))).toBe('Do that.')
    expect(hintFor(new CodedError('constructor', ''))).toBeUndefined()
  })
})
