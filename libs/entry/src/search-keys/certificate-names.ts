import { context, type DerElement } from '@touchmark/encoding'
import type { Certificate } from '@touchmark/x509'

const DNS = context(2, false)
const IP = context(7, false)

/** Every name of a certificate's subjectAltName as text: e-mail addresses, URIs, user names (otherName 57264.1.7), DNS names, IP addresses. */
export function certificateNames(certificate: Certificate): string[] {
  const names = certificate.san.map(({ value }) => value)
  for (const element of certificate.unknownNames) {
    const text = nameText(element)
    if (text !== undefined) names.push(text)
  }
  return names
}

function nameText({ tag, content }: DerElement): string | undefined {
  if (tag === DNS) return ascii(content)
  return tag === IP ? ipText(content) : undefined
}

function ascii(bytes: Uint8Array): string | undefined {
  return bytes.some((byte) => byte > 0x7f) ? undefined : String.fromCharCode(...bytes.subarray(0, 4096))
}

/** As Go's net.IP writes it, whose texts the keys of API v1 are: RFC 5952, and an IPv4-mapped address as IPv4. Undefined for another length. */
export function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return undefined
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  if (mapped) return bytes.subarray(12).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!)
  const { start, length } = longestZeros(groups)
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  }
  return best
}
