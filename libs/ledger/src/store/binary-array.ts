/**
 * PostgreSQL's binary form of arrays: pg sends a Buffer as it is, so bodies cross the wire once and without hexadecimal.
 * int32 dimensions, int32 has-nulls, int32 element type, int32 length, int32 lower bound; then per element int32 length (-1 = null) and bytes.
 */
const HEADER_BYTES = 20
const BYTEA = 17
const INT8 = 20
const INT2 = 21

/** A bytea[] and, for each element that is not null, where its bytes lie in it. */
export interface ByteaArray {
  readonly buffer: Buffer
  /** Views into `buffer`: what is hashed from these is what is sent. */
  readonly elements: readonly (Buffer | undefined)[]
}

export function encodeByteaArray(parts: readonly (Uint8Array | undefined)[]): ByteaArray {
  const length = parts.reduce((sum, part) => sum + 4 + (part?.length ?? 0), HEADER_BYTES)
  const buffer = header(BYTEA, parts.length, length, parts.includes(undefined))
  const elements: (Buffer | undefined)[] = []
  let offset = HEADER_BYTES
  for (const part of parts) {
    offset = buffer.writeInt32BE(part === undefined ? -1 : part.length, offset)
    if (part === undefined) {
      elements.push(undefined)
      continue
    }
    buffer.set(part, offset)
    elements.push(buffer.subarray(offset, offset + part.length))
    offset += part.length
  }
  return { buffer, elements }
}

export function encodeInt8Array(values: readonly bigint[]): Buffer {
  const buffer = header(INT8, values.length, HEADER_BYTES + 12 * values.length, false)
  let offset = HEADER_BYTES
  for (const value of values) offset = buffer.writeBigInt64BE(value, buffer.writeInt32BE(8, offset))
  return buffer
}

export function encodeInt2Array(values: readonly number[]): Buffer {
  const buffer = header(INT2, values.length, HEADER_BYTES + 6 * values.length, false)
  let offset = HEADER_BYTES
  for (const value of values) offset = buffer.writeInt16BE(value, buffer.writeInt32BE(2, offset))
  return buffer
}

function header(type: number, count: number, length: number, hasNull: boolean): Buffer {
  // An array of no elements is an array of no dimensions.
  if (count === 0) {
    const empty = Buffer.alloc(12)
    empty.writeInt32BE(type, 8)
    return empty
  }
  const buffer = Buffer.allocUnsafe(length)
  let offset = buffer.writeInt32BE(1, 0)
  offset = buffer.writeInt32BE(hasNull ? 1 : 0, offset)
  offset = buffer.writeInt32BE(type, offset)
  offset = buffer.writeInt32BE(count, offset)
  buffer.writeInt32BE(1, offset)
  return buffer
}
