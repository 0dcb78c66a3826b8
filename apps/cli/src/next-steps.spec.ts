import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CodedError } from '@touchmark/errors'
import { POLICY_ERROR_CODES, PolicyError, VERIFY_ERROR_CODES, VerifyError } from '@touchmark/verify'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { adviceFor } from './next-steps.js'

const advice = (code: string): string | undefined => adviceFor(new CodedError(code, ''))
const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(
  ([, code]) => code!,
)

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
      /\bCLI_(?:USAGE|FILE_UN[A-Z_]+|BUNDLE_[A-Z_]+|NOTHING_[A-Z_]+|POLICY_[A-Z_]+|ENTRY_[A-Z_]+)/g,
    ),
    'KEYFILE_PUBLIC_KEY_INVALID',
  ].map((code) => new CodedError(code, '')),
]

describe('adviceFor', () => {
  it.each(ERRORS.map((error) => [error.code, error] as const))('says what to do about %s', (_code, error) => {
    expect(adviceFor(error)).toMatch(/^[A-Z].{14,}[.]$/)
  })

  it('looks at more than 70 codes, and prefers what the error says itself', () => {
    expect(ERRORS.length).toBeGreaterThan(70)
    expect(adviceFor(new CodedError('CLI_USAGE', '', { hint: 'Do that.' }))).toBe('Do that.')
  })

  it('knows one for every error of signing and verifying', () => {
    const clientSide: readonly number[] = [EXIT.notVerified, EXIT.policy, EXIT.trust, EXIT.login, EXIT.service]
    const without = documented
      .filter((code) => clientSide.includes(exitCodeOf(new CodedError(code, 'x'))))
      .filter((code) => advice(code) === undefined && !/^(CLI_|CRYPTO_)/.test(code))
    expect(without).toEqual([])
  })

  it('speaks of passwords only where there is one', () => {
    expect(advice('KEYFILE_PUBLIC_KEY_INVALID')).not.toContain('password')
    expect(advice('KEYFILE_INVALID')).toContain('password')
  })

  it('has none for what it does not know', () => {
    expect(advice('LEDGER_CORRUPT')).toBeUndefined()
    expect(advice('constructor')).toBeUndefined()
  })
})
