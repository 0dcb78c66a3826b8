import { expect } from '@jest/globals'

/** `expect(f).toThrowCode('X')` and `await expect(promise).rejects.toThrowCode('X')`: the code is the contract, the wording is not. */
expect.extend({
  toThrowCode(received: unknown, code: string) {
    let thrown: unknown = received
    if (typeof received === 'function') {
      thrown = undefined
      try {
        received()
      } catch (error) {
        thrown = error
      }
    }
    const found = (thrown as { code?: unknown } | undefined)?.code
    return {
      pass: found === code,
      message: () =>
        `expected an error with code ${code}, got ${thrown === undefined ? 'no error' : `${String(found)}: ${String(thrown)}`}`,
    }
  },
})

declare module 'expect' {
  interface Matchers<R> {
    toThrowCode(code: string): R
  }
}
