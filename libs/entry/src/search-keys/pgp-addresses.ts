import { base64Decode, EncodingError, utf8Decode } from '@touchmark/encoding'

const USER_ID = 13
const ADDRESS = /<([^<>\s@]+@[^<>\s@]+)>\s*$|^([^<>\s@]+@[^<>\s@]+)$/
/** A body is smaller than this. */
const MAX_PACKETS = 4096

interface Packet {
  readonly tag: number
  readonly content: Uint8Array
  readonly next: number
}

/**
 * E-mail addresses of the user ids of an OpenPGP key (RFC 9580 §4.2, §5.11), armoured or binary. No signature is checked: the ids are what the key says of
 * itself. What cannot be read ends the list.
 */
export function pgpAddresses(key: Uint8Array): string[] {
  const addresses: string[] = []
  const bytes = dearmor(key)
  let offset = 0
  for (let count = 0; count < MAX_PACKETS && offset < bytes.length; count++) {
    const packet = readPacket(bytes, offset)
    if (packet === undefined) break
    const address = packet.tag === USER_ID ? addressOf(packet.content) : undefined
    if (address !== undefined) addresses.push(address)
    offset = packet.next
  }
  return addresses
}

/** The bytes in the armour (§6.2); lines of headers, the checksum and what stands around are left out. */
function dearmor(key: Uint8Array): Uint8Array {
  if (key[0] === undefined || key[0] >= 0x80) return key
  try {
    const lines = utf8Decode(key).split(/\r?\n/)
    const begin = lines.findIndex((line) => line.startsWith('-----BEGIN PGP '))
    const end = lines.findIndex((line, at) => at > begin && line.startsWith('-----END PGP '))
    if (begin < 0 || end < 0) return new Uint8Array(0)
    const body = lines.slice(begin + 1, end)
    const blank = body.findIndex((line) => line.trim() === '')
    const data = body.slice(blank + 1).filter((line) => !line.startsWith('='))
    return base64Decode(data.map((line) => line.trim()).join(''))
  } catch (error) {
    if (error instanceof EncodingError) return new Uint8Array(0)
    throw error
  }
}

function readPacket(bytes: Uint8Array, offset: number): Packet | undefined {
  const header = bytes[offset]!
  if ((header & 0x80) === 0) return undefined
  const current = (header & 0x40) !== 0
  const tag = current ? header & 0x3f : (header >> 2) & 0x0f
  const length = current ? newLength(bytes, offset + 1) : oldLength(bytes, offset + 1, header & 3)
  if (length === undefined || length.start + length.size > bytes.length) return undefined
  const next = length.start + length.size
  return { tag, content: bytes.subarray(length.start, next), next }
}

function newLength(bytes: Uint8Array, at: number): { start: number; size: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 192) return { start: at + 1, size: first }
  if (first < 224) return sized(at + 2, ((first - 192) << 8) + (bytes[at + 1] ?? Number.NaN) + 192)
  // Partial lengths (§4.2.1.4) are for data, not for keys.
  return first === 255 ? sized(at + 5, number(bytes, at + 1, 4)) : undefined
}

function oldLength(bytes: Uint8Array, at: number, type: number): { start: number; size: number } | undefined {
  if (type === 3) return undefined
  const width = 1 << type
  return sized(at + width, number(bytes, at, width))
}

function sized(start: number, size: number): { start: number; size: number } | undefined {
  return Number.isNaN(size) ? undefined : { start, size }
}

function number(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? Number.NaN)
  return value
}

function addressOf(content: Uint8Array): string | undefined {
  try {
    const match = ADDRESS.exec(utf8Decode(content.subarray(0, 4096)))
    return match?.[1] ?? match?.[2]
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}
