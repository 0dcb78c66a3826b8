import { utf8Decode } from '@touchmark/encoding'
import { endOfString } from './json.js'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPENING: readonly number[] = [0x5b, 0x7b]
const CLOSING: readonly number[] = [0x5d, 0x7d]
/** Of a character of a name, at most: `\u0061`. */
const ESCAPED_BYTES = 6

/**
 * The elements of an array that is a member of the outermost object, as they were sent: JSON.parse rounds what is above 2^53. Of a repeated member the last counts.
 * `bytes` MUST be JSON that was parsed before.
 */
export function elementTexts(bytes: Uint8Array, name: string): readonly string[] {
  let texts: string[] = []
  let depth = 0
  let nameAt: readonly [number, number] = [0, 0]
  let isMember = false
  let from: number | undefined
  const take = (until: number): void => {
    const text = utf8Decode(bytes.subarray(from, until)).trim()
    if (text !== '') texts.push(text)
  }
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) {
      const end = endOfString(bytes, i + 1)
      if (depth === 1) nameAt = [i, end + 1]
      i = end
    } else if (byte === COLON && depth === 1) {
      isMember = isName(bytes.subarray(...nameAt), name)
      if (isMember) texts = []
    } else if (OPENING.includes(byte)) {
      if (++depth === 2 && isMember && byte === OPENING[0]) from = i + 1
    } else if (CLOSING.includes(byte)) {
      if (depth-- !== 2 || from === undefined) continue
      take(i)
      from = undefined
    } else if (byte === COMMA && depth === 2 && from !== undefined) {
      take(i)
      from = i + 1
    }
  }
  return texts
}

function isName(quoted: Uint8Array, name: string): boolean {
  return quoted.length <= ESCAPED_BYTES * name.length + 2 && JSON.parse(utf8Decode(quoted)) === name
}
