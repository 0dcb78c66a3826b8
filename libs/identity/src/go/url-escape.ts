import { utf8Decode } from '@touchmark/encoding'
import { IdentityError } from '../errors.js'
import { quoteText } from './format.js'

// Texts are byte strings here: one character for each byte of UTF-8, as Go's strings are bytes.

/** Which part of a URL is meant: what may stand unescaped differs. */
export type UrlPart = 'path' | 'host' | 'zone' | 'user' | 'fragment'

const UNRESERVED = /[A-Za-z0-9\-_.~]/
const KEPT: Readonly<Record<UrlPart, RegExp>> = {
  path: /[$&+,/:;=@]/,
  host: /[!$&'()*+,;=:[\]<>"]/,
  zone: /[!$&'()*+,;=:[\]<>"]/,
  user: /[$&+,;=]/,
  fragment: /[$&+,/:;=?@!()*]/,
}

/** True when Go's net/url escapes this byte in that part. */
export function mustEscape(char: string, part: UrlPart): boolean {
  return !UNRESERVED.test(char) && !KEPT[part].test(char)
}

/** Escapes with upper-case `%XX`. */
export function escapeUrl(text: string, part: UrlPart): string {
  let out = ''
  for (const char of text) {
    out += mustEscape(char, part) ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : char
  }
  return out
}

/** Undoes `%XX`. Throws IDENTITY_URL_INVALID with Go's text, without the `parse …:` that belongs before it. */
export function unescapeUrl(text: string, part: UrlPart): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char !== '%') {
      if ((part === 'host' || part === 'zone') && char < '\x80' && mustEscape(char, part)) {
        throw new IdentityError('IDENTITY_URL_INVALID', `invalid character ${quoteBytes(char)} in host name`)
      }
      out += char
      continue
    }
    const escape = text.slice(i, i + 3)
    if (!/^%[0-9A-Fa-f]{2}$/.test(escape)) throw badEscape(escape)
    const byte = Number.parseInt(escape.slice(1), 16)
    // RFC 3986: a host may escape bytes outside ASCII only; RFC 6874 adds %25 before a zone.
    if (part === 'host' && byte < 0x80 && escape !== '%25') throw badEscape(escape)
    if (part === 'zone' && escape !== '%25' && byte !== 0x20 && mustEscape(String.fromCharCode(byte), 'host')) {
      throw badEscape(escape)
    }
    out += String.fromCharCode(byte)
    i += 2
  }
  return out
}

/** A byte string in quotes; an escape is cut at three bytes, which may be in the middle of a character. */
function quoteBytes(bytes: string): string {
  try {
    return quoteText(utf8Decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0))))
  } catch {
    const quoted = bytes.replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)
    return `"${quoted}"`
  }
}

function badEscape(escape: string): IdentityError {
  return new IdentityError('IDENTITY_URL_INVALID', `invalid URL escape ${quoteBytes(escape)}`)
}

/** True when a path or fragment as written needs no escaping at all, so that it is kept as it is. */
export function isValidEncoding(text: string, part: 'path' | 'fragment'): boolean {
  for (const char of text) if (!/[!$&'()*+,;=:@[\]%]/.test(char) && mustEscape(char, part)) return false
  return true
}
