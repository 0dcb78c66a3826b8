import { base64Decode, base64Encode } from './base64.js'
import { EncodingError } from './errors.js'

export interface PemBlock {
  label: string
  bytes: Uint8Array
}

/** Writes one PEM block (RFC 7468): lines of 64, one newline at the end. */
export function pemEncode(label: string, bytes: Uint8Array): string {
  const lines = base64Encode(bytes).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.map((line) => line + '\n').join('')}-----END ${label}-----\n`
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t]*$/

/**
 * Reads all PEM blocks of a text; what stands around them, CRLF, RFC 1421 headers and long lines are taken, as Go's encoding/pem does.
 * Throws ENCODING_PEM when a block is broken or there are more than `limit`.
 */
export function pemDecodeAll(text: string, limit = 64): PemBlock[] {
  const blocks: PemBlock[] = []
  const lines = text.split(/\r?\n/)
  for (let i = 0; i < lines.length; i++) {
    const label = BEGIN.exec(lines[i]!)?.[1]
    if (label === undefined) continue
    if (blocks.length === limit) throw new EncodingError('ENCODING_PEM', `more than ${limit} PEM blocks`)
    const end = lines.findIndex((line, at) => at > i && line.trimEnd() === `-----END ${label}-----`)
    if (end < 0) throw new EncodingError('ENCODING_PEM', `PEM block "${label}" has no end`)
    let body = lines.slice(i + 1, end)
    if (body[0]?.includes(':')) body = body.slice(body.findIndex((line) => line.trim() === '') + 1)
    blocks.push({ label, bytes: decodeBody(body.map((line) => line.trimEnd()).join(''), label) })
    i = end
  }
  return blocks
}

function decodeBody(text: string, label: string): Uint8Array {
  try {
    return base64Decode(text)
  } catch (cause) {
    throw new EncodingError('ENCODING_PEM', `PEM block "${label}" is not base64`, { cause })
  }
}
