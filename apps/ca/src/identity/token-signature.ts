import { compactVerify, type CryptoKey } from 'jose'
import type { SignedParts } from './token-shape.js'

/** True when one of the keys made the token's signature with the token's algorithm. */
export async function isSignedByOneOf(
  token: Omit<SignedParts, 'payload'>,
  keys: readonly CryptoKey[],
): Promise<boolean> {
  for (const key of keys) {
    try {
      await compactVerify(token.compact, key, { algorithms: [token.algorithm] })
      return true
    } catch {
      // Not this key. jose throws for every way in which a signature can be wrong.
    }
  }
  return false
}
