import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { parseSearchQuery } from './search-query.js'

const sha256 = (bytes: Uint8Array): Uint8Array => nodeCrypto.hash('SHA2_256', bytes)
const parse = (query: string) => parseSearchQuery(`/api/touchmark/v1/search?${query}`, sha256)

describe('parseSearchQuery', () => {
  it('reads every parameter, and what is left out', () => {
    expect(parse('identity=A%40b.c')).toEqual({
      logId: undefined,
      all: [{ kind: 'identity', value: 'a@b.c' }],
      operator: 'and',
      limit: 20,
    })
    const hex = 'ab'.repeat(32)
    const query = `identity=a+b&issuer=c&digest=${hex}&publicKey=${hex}&serial=1&operator=or&limit=100&after=1.2_1.3&`
    expect(parse(query)).toEqual({
      logId: undefined,
      all: [
        { kind: 'digest', value: `sha256:${hex}` },
        { kind: 'identity', value: 'a b' },
        { kind: 'issuer', value: 'c' },
        { kind: 'publicKey', value: hex },
        { kind: 'serial', value: '01' },
      ],
      operator: 'or',
      limit: 100,
      after: '1.2_1.3',
    })
  })

  it('repeats nothing of a stranger in a refusal', () => {
    const name = 'x-secret-\u001b[2J'
    try {
      parse(`${encodeURIComponent(name)}=1`)
      throw new Error('not refused')
    } catch (error) {
      expect((error as Error).message).toBe('there is a parameter that this route does not know')
    }
  })

  it('answers any query with a question or a refusal', () => {
    const part = fc.tuple(
      fc.constantFrom('identity', 'digest', 'limit', 'operator', 'after', 'serial', '%', ''),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        try {
          const { all, limit } = parse(parts.map(([name, text]) => `${name}=${text}`).join('&'))
          expect(all.length).toBeGreaterThan(0)
          expect(limit).toBeLessThanOrEqual(100)
        } catch (error) {
          expect(isCodedError(error) && error.code).toMatch(/^(LOG_PARAMETER_INVALID|ENTRY_SEARCH_INVALID)$/)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
