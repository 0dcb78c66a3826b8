import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { outsideVectors } from '../../../../test/support/outside-vectors.mjs'
import { KeySet, TOKEN_ALGORITHMS } from './key-set.js'
import { isSignedByOneOf } from './token-signature.js'
import { readSignedParts } from './token-shape.js'

interface Test {
  readonly tcId: number
  readonly comment: string
  readonly jws: unknown
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface Group {
  readonly comment: string
  readonly public?: JsonValue
  readonly private: JsonValue
  readonly tests: readonly Test[]
}

const FOLDER = outsideVectors('wycheproof')
const read = (name: string): Group[] =>
  (JSON.parse(readFileSync(join(FOLDER ?? '', name), 'utf8')) as { testGroups: Group[] }).testGroups

/** What the CA makes of it: shape, algorithm, key, signature. The payloads are no claims. */
async function isTaken(jws: unknown, keys: JsonValue): Promise<boolean> {
  if (typeof jws !== 'string') return false
  try {
    const parts = readSignedParts(jws)
    if (!(TOKEN_ALGORITHMS as readonly string[]).includes(parts.algorithm)) return false
    return await isSignedByOneOf(parts, await new KeySet(keys).candidates(parts.algorithm, parts.keyId))
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

/** Valid by the standard and refused here, each for a reason. */
function isRefusedOnPurpose(group: Group, jws: unknown): boolean {
  const text = JSON.stringify(group.public ?? group.private)
  // HMAC is never taken.
  if (text.includes('"oct"')) return true
  // A key that names an algorithm is for that one alone; two of RFC 7520's keys here name another (PS256 for PS384) or none there is (ES521).
  const named = /"alg":"([^"]*)"/.exec(text)?.[1]
  return named !== undefined && named !== readSignedParts(String(jws)).algorithm
}

;(FOLDER === undefined ? describe.skip : describe)(
  'Wycheproof (skipped where TOUCHMARK_VECTORS names no folder with it)',
  () => {
    const alone = (key: JsonValue): JsonValue => key
    const inSet = (key: JsonValue): JsonValue => ({ keys: [key] })
    it.each([
      ['json_web_signature_test.json', inSet, 20],
      ['json_web_key_test.json', alone, 0],
    ] as const)('%s', async (file, keysOf, atLeast) => {
      let taken = 0
      for (const group of read(file)) {
        for (const { jws, tcId, comment, result } of group.tests) {
          const found = await isTaken(jws, keysOf(group.public ?? group.private))
          const wanted = result === 'valid' && !isRefusedOnPurpose(group, jws)
          expect([group.comment, tcId, comment, found]).toEqual([group.comment, tcId, comment, wanted])
          if (found) taken++
        }
      }
      expect(taken).toBeGreaterThan(atLeast)
    })
  },
)
