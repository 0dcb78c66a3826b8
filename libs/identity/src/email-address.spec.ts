import { describe, expect, it } from '@jest/globals'
import { isEmailAddress } from './email-address.js'
import { repositoryFile } from './testing/vectors.js'

interface Name {
  readonly input: string
  readonly status: number
  readonly message?: string
}
const names = (JSON.parse(repositoryFile('test/vectors/fulcio/names.json')) as { email: Name[] }).email

describe('e-mail addresses', () => {
  it.each(
    names.map(
      ({ input, status, message }) => [input, status === 200 || message?.startsWith('x509:') === true] as const,
    ),
  )('%j: %p', (input, accepted) => {
    expect(isEmailAddress(input)).toBe(accepted)
  })

  it('takes linear time on what makes backtracking expressions hang', () => {
    expect(isEmailAddress(`a@${'a.'.repeat(50_000)}!`)).toBe(false)
    expect(isEmailAddress(`${'a.'.repeat(50_000)}@a.b`)).toBe(false)
  })
})
