import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { nextStep } from './next-steps.js'
import { CodedError } from '@touchmark/errors'

const codes = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, code]) => code!)

describe('nextStep', () => {
  it('knows one for every error of signing and verifying', () => {
    const clientSide: readonly number[] = [EXIT.notVerified, EXIT.policy, EXIT.trust, EXIT.login, EXIT.service]
    const without = codes
      .filter((code) => clientSide.includes(exitCodeOf(new CodedError(code, 'x'))))
      .filter((code) => nextStep(code) === undefined && !/^(CLI_|CRYPTO_)/.test(code))
    expect(without).toEqual([])
  })

  it('has none for what it does not know', () => {
    expect(nextStep('LEDGER_CORRUPT')).toBeUndefined()
  })
})
