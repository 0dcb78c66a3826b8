import { EncodingError } from '../errors.js'

/**
 * Content bytes of an OBJECT IDENTIFIER as dotted decimal. Arcs may be of any size; non-minimal arcs (a leading 0x80),
 * a truncated last arc and more than 64 arcs are refused.
 */
export function decodeOid(content: Uint8Array): string {
  const bad = (why: string): never => {
    throw new EncodingError('DER_INVALID', `object identifier: ${why}`)
  }
  if (content.length === 0 || content.length > 512) bad('bad length')
  const arcs: bigint[] = []
  let arc = 0n
  let inside = false
  for (const byte of content) {
    if (!inside && byte === 0x80) bad('an arc is not minimal')
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    inside = (byte & 0x80) !== 0
    if (inside) continue
    if (arcs.length === 64) bad('more than 64 arcs')
    arcs.push(arc)
    arc = 0n
  }
  if (inside) bad('the last arc is cut off')
  const first = arcs[0]!
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n
  return [root, first - root * 40n, ...arcs.slice(1)].join('.')
}

/** Content bytes of an OBJECT IDENTIFIER from dotted decimal. */
export function encodeOid(dotted: string): Uint8Array {
  if (!/^[0-2](\.(0|[1-9]\d{0,77})){1,63}$/.test(dotted))
    throw new EncodingError('DER_INVALID', `"${dotted.slice(0, 80)}" is no object identifier`)
  const arcs = dotted.split('.').map(BigInt)
  if (arcs[0]! < 2n && arcs[1]! > 39n) throw new EncodingError('DER_INVALID', `"${dotted}": second arc is over 39`)
  const out: number[] = []
  for (const arc of [arcs[0]! * 40n + arcs[1]!, ...arcs.slice(2)]) {
    const groups = [Number(arc & 0x7fn)]
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) groups.unshift(Number(rest & 0x7fn) | 0x80)
    out.push(...groups)
  }
  return Uint8Array.from(out)
}
