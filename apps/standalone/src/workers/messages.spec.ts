import { describe, expect, it } from '@jest/globals'
import { CodedError, isCodedError } from '@touchmark/errors'
import { fromSent, toSent } from './messages.js'

describe('an error between processes', () => {
  it('keeps its code, text and details', () => {
    const error = new CodedError('LEDGER_ROLLED_BACK', 'it went back', { hint: 'stop', cause: new Error('inner') })
    const arrived = fromSent(structuredClone(toSent(error)))
    expect(isCodedError(arrived) && [arrived.code, arrived.message, arrived.details.hint]).toEqual([
      'LEDGER_ROLLED_BACK',
      'it went back',
      'stop',
    ])
    expect(String(arrived.cause)).toContain('messages.spec')
  })

  it('makes no coded error of one that was none', () => {
    const arrived = fromSent(structuredClone(toSent(new TypeError('ours'))))
    expect([isCodedError(arrived), arrived.message]).toEqual([false, 'ours'])
    expect(fromSent(toSent('text')).message).toBe('text')
  })
})
