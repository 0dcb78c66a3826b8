import { spacedPredicate } from '../attest/predicate-text.js'

const SPACE = [0x20, 0x09, 0x0a, 0x0d]

/**
 * The bytes of a statement's predicate exactly as they were signed, no number, escape or space in it written anew, without the space around it; undefined when
 * it has none. `payload` MUST be a statement that was parsed strictly (one member of each name), as every verified one was.
 */
export function predicateBytes(payload: Uint8Array): Uint8Array | undefined {
  const spaced = spacedPredicate(payload)
  if (spaced === undefined) return undefined
  let [start, end] = [0, spaced.length]
  while (SPACE.includes(spaced[start] ?? 0)) start++
  while (end > start && SPACE.includes(spaced[end - 1]!)) end--
  // Of JSON values only null begins so.
  return spaced[start] === 0x6e ? undefined : spaced.subarray(start, end)
}
