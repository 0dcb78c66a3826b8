import { describe, expect, it } from '@jest/globals'
import { CodedError, isCodedError } from './index.js'

describe('isCodedError', () => {
  it('knows errors of this module and of classes below', () => {
    class Own extends CodedError<'OWN'> {}
    expect(isCodedError(new CodedError('A', 'text'))).toBe(true)
    expect(isCodedError(new Own('OWN', 'text'))).toBe(true)
  })

  it('knows an error of another copy of this module', () => {
    // As in a process that runs the bundled command line beside the server's own modules.
    class OtherCopy extends Error {
      readonly code = 'OTHER'
      get [Symbol.for('touchmark.CodedError')](): true {
        return true
      }
    }
    const error: unknown = new OtherCopy('text')
    expect(error).not.toBeInstanceOf(CodedError)
    expect(isCodedError(error)).toBe(true)
  })

  it('takes nothing else for one', () => {
    for (const value of [
      new Error('text'),
      Object.assign(new Error('text'), { code: 'ENOENT' }),
      null,
      undefined,
      'A',
      {},
    ])
      expect(isCodedError(value)).toBe(false)
  })

  it('leaves no mark where an error is listed or compared', () => {
    expect(Object.keys(new CodedError('A', 'text', { found: 'x' })).sort()).toEqual(['code', 'details', 'name'])
  })
})
