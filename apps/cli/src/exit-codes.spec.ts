import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CodedError } from '@touchmark/errors'
import { EXIT, EXIT_TEXT, exitCodeOf } from './exit-codes.js'

/** Every code that the libs and apps declare, from their errors.ts. */
const UNIONS = [
  ...[
    'crypto',
    'encoding',
    'entry',
    'merkle',
    'sign',
    'timestamp',
    'tlog',
    'trust',
    'bundle',
    'x509',
    'verify',
    'keys',
  ].map((lib) => `libs/${lib}/src/errors.ts`),
  'apps/cli/src/errors.ts',
  'apps/standalone/src/errors.ts',
]
const codes = UNIONS.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/\b([A-Z][A-Z0-9]+_[A-Z0-9_]+)\b(?='|:)/g)].map((match) => match[1]!),
)

describe('exitCodeOf', () => {
  it('has an exit code for every coded error: none is taken for a fault of touchmark, and none for success', () => {
    expect(codes.length).toBeGreaterThan(100)
    expect(
      codes.filter((code) => [EXIT.ok, EXIT.unexpected].includes(exitCodeOf(new CodedError(code, '')) as 0)),
    ).toEqual([])
  })

  it.each([
    ['CLI_USAGE', EXIT.usage],
    ['POLICY_EMPTY', EXIT.usage],
    ['POLICY_IDENTITY_MISMATCH', EXIT.policy],
    ['POLICY_ISSUER_MISMATCH', EXIT.policy],
    ['VERIFY_ARTIFACT_CHANGED', EXIT.notVerified],
    ['BUNDLE_JSON_INVALID', EXIT.notVerified],
    ['CLI_ENTRY_NOT_FOUND', EXIT.notVerified],
    ['VERIFY_OTHER_INSTANCE', EXIT.trust],
    ['CLI_TRUST_CHANGED', EXIT.trust],
    ['TRUST_JSON_INVALID', EXIT.trust],
    ['TRUST_SERVICE_NONE', EXIT.service],
    ['SIGN_TOKEN_REFUSED', EXIT.login],
    ['SIGN_EMAIL_NOT_VERIFIED', EXIT.login],
    ['CLI_LOGIN_STATE', EXIT.login],
    ['SIGN_SERVICE_UNREACHABLE', EXIT.service],
    ['CLI_FILE_EXISTS', EXIT.file],
    ['STANDALONE_CONFIG', EXIT.serving],
  ])('is for %s %d', (code, exit) => {
    expect(exitCodeOf(new CodedError(code, ''))).toBe(exit)
  })

  it.each([new TypeError('x'), 'text', undefined, { code: 'CLI_USAGE' }])(
    'is 1 for what is a fault of ours',
    (error) => {
      expect(exitCodeOf(error)).toBe(EXIT.unexpected)
    },
  )

  it('is explained for each', () => {
    expect(EXIT_TEXT.map(([code]) => code)).toEqual(Object.values(EXIT))
  })
})
