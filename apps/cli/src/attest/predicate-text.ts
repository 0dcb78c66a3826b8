const QUOTE = 0x22
const BACKSLASH = 0x5c
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The bytes of the predicate in a statement, from after its colon up to the comma or brace that ends it: white space around the value is part of them,
 * because what was signed is what is given back (reliability.md V7). `statement` MUST have been read by `parseStatement`, which refuses
 * what is no strict JSON and a member that comes twice; so this only has to tell strings from structure. Undefined when there is no predicate.
 */
export function spacedPredicate(statement: Uint8Array): Uint8Array | undefined {
  let depth = 0
  let valueFrom: number | undefined
  let name: string | undefined
  for (let at = 0; at < statement.length; at++) {
    const byte = statement[at]!
    if (byte === QUOTE) {
      const end = endOfString(statement, at)
      // At this depth a string before the colon is a name.
      if (depth === 1 && valueFrom === undefined) name = stringAt(statement, at, end)
      at = end - 1
    } else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x3a && depth === 1) valueFrom = at + 1
    else if (depth === 1 && (byte === 0x2c || byte === 0x7d)) {
      if (name === 'predicate' && valueFrom !== undefined) return statement.subarray(valueFrom, at)
      valueFrom = undefined
      if (byte === 0x7d) depth--
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return undefined
}

/** Index after the closing quote. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at + 1
}

function stringAt(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(utf8.decode(bytes.subarray(start, end))) as string
}
