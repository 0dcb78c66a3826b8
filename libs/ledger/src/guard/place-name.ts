import { hexEncode, utf8Encode } from '@touchmark/encoding'
import { sha256 } from '../sha256.js'

/** The name of a tree where its origin cannot stand as it is: in a file or a URL. Two origins have two names. */
export function placeName(origin: string): string {
  const readable = origin.replace(/[^a-z0-9.]+/gi, '-').slice(0, 80).replace(/^\.+/, '') // prettier-ignore
  return `${readable}-${hexEncode(sha256(utf8Encode(origin))).slice(0, 16)}`
}
