import { EntryError } from '../errors.js'
import { searchKey, type SearchKey, type SearchKind, type Sha256 } from './search-key.js'

/** Longest text that is taken as a value, in UTF-16 units. */
export const MAX_SEARCH_TEXT = 2048

/** 64 bytes with colons between them: twice what any CA may write. */
const MAX_SERIAL_TEXT = 191

const HEX_LENGTHS: Readonly<Record<string, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128 }

/**
 * Reads what a person or a client searches for. A digest is `<algorithm>:<hex>` (sha1, sha256, sha384, sha512) or the hexadecimal alone; a public key is the
 * hexadecimal SHA-256 of its SubjectPublicKeyInfo, with or without `sha256:`; a serial number is hexadecimal, colons allowed. Throws ENTRY_SEARCH_INVALID.
 */
export function parseSearchKey(kind: SearchKind, text: string, sha256: Sha256): SearchKey {
  if (text === '' || text.length > MAX_SEARCH_TEXT) invalid(kind, `has 1 to ${MAX_SEARCH_TEXT} characters`)
  if (kind === 'digest') return searchKey(kind, digestOf(text.toLowerCase()), sha256)
  if (kind === 'publicKey') {
    const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text.toLowerCase()) ?? []
    return searchKey(
      kind,
      hex ?? invalid(kind, 'is the SHA-256 of the key (SubjectPublicKeyInfo) in hexadecimal'),
      sha256,
    )
  }
  if (kind === 'serial' && !isSerial(text)) invalid(kind, 'is hexadecimal')
  return searchKey(kind, text, sha256)
}

/** Hexadecimal in which colons may stand between digits. Each test is linear: the text is a stranger's. */
function isSerial(text: string): boolean {
  return text.length <= MAX_SERIAL_TEXT && /^[0-9a-f:]+$/i.test(text) && !/^:|:$|::/.test(text)
}

function digestOf(text: string): string {
  const [, named, hex] = /^(?:(sha(?:1|256|384|512)):)?([0-9a-f]+)$/.exec(text) ?? []
  const algorithm = named ?? Object.keys(HEX_LENGTHS).find((name) => HEX_LENGTHS[name] === hex?.length)
  if (hex === undefined || algorithm === undefined || hex.length !== HEX_LENGTHS[algorithm])
    invalid('digest', 'is sha1, sha256, sha384 or sha512, a colon and the hexadecimal digest')
  return `${algorithm}:${hex}`
}

function invalid(kind: SearchKind, rule: string): never {
  throw new EntryError('ENTRY_SEARCH_INVALID', `the value to search for as ${kind} is not one: it ${rule}`)
}
