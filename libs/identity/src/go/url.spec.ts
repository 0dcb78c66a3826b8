import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { repositoryFile } from '../testing/vectors.js'
import { goHostname, joinGoUrl, parseGoUrl, printGoUrl } from './url.js'

interface Recorded {
  readonly input: string
  readonly join?: readonly string[]
  readonly output?: string
  readonly host?: string
  readonly error?: string
}

const cases = JSON.parse(repositoryFile('test/vectors/go-net-url/cases.json')) as Recorded[]

function answer({ input, join }: Recorded): Omit<Recorded, 'input' | 'join'> {
  try {
    const url = parseGoUrl(input)
    if (join !== undefined) return { output: printGoUrl(joinGoUrl(url, ...join)) }
    return { output: printGoUrl(url), host: goHostname(url) }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { error: error.message }
  }
}

describe('Go URLs', () => {
  it('parses, prints and refuses as Go does, in every recorded case', () => {
    expect(cases.length).toBeGreaterThan(300)
    const wrong = cases.filter((recorded) => {
      const found = { output: '', host: '', error: '', ...answer(recorded) }
      const { output = '', host = '', error = '' } = recorded
      return found.output !== output || found.host !== host || found.error !== error
    })
    expect(wrong).toEqual([])
  })

  it('refuses a path element that cannot be unescaped, which Go drops', () => {
    expect(() => joinGoUrl(parseGoUrl('https://github.com/'), 'a%zz')).toThrowCode('IDENTITY_URL_INVALID')
  })

  it('prints what reads back as itself, for any text', () => {
    const near = fc.string({
      unit: fc.constantFrom(...'ab:/@?#[]%2fü \\.;=&+*~"<'.split(''), 'http', '://', '..'),
      maxLength: 20,
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => {
        let printed: string
        try {
          printed = printGoUrl(parseGoUrl(text))
        } catch (error) {
          return isCodedError(error)
        }
        // Go itself does not promise more for relative references, whose `./` is added and then kept.
        if (parseGoUrl(text).scheme === '') return true
        return printGoUrl(parseGoUrl(printed)) === printed
      }),
      { numRuns: 500 },
    )
  })
})
