import { decodeProtoJson, type ProtoSchema } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { TrustError } from './errors.js'
import { parseTime, type TimeRange } from './time-range.js'

/** A message as the proto-JSON decoder gives it. */
export type Decoded = Readonly<Record<string, unknown>>

/** The largest file read; the public-good root, the largest in the field, has 7 KB. */
export const MAX_TRUST_BYTES = 1024 * 1024

/** Decodes a whole file. Throws TRUST_TOO_LARGE or TRUST_JSON_INVALID. */
export function decodeFile(bytes: Uint8Array, schema: ProtoSchema): Decoded {
  const what = schema.name.split('.').at(-1)!
  if (bytes.length > MAX_TRUST_BYTES)
    throw new TrustError(
      'TRUST_TOO_LARGE',
      `the ${what} has ${bytes.length} bytes, at most ${MAX_TRUST_BYTES} are read`,
      {
        check: `${what} size`,
        expected: `at most ${MAX_TRUST_BYTES} bytes`,
        found: `${bytes.length} bytes`,
        hint: 'Check that this is the file you meant.',
      },
    )
  try {
    return decodeProtoJson(bytes, schema, { unknownFields: 'refuse', trailing: 'refuse', maxDepth: 16 })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new TrustError('TRUST_JSON_INVALID', `this is no ${what}`, {
      cause,
      check: `${what} JSON`,
      expected: schema.name,
      found: cause.message,
      hint: 'Get the file again from your instance.',
    })
  }
}

export function missing(path: string): TrustError {
  return new TrustError('TRUST_FIELD_MISSING', `${path} is missing`, {
    check: path,
    expected: path,
    found: 'nothing',
    hint: 'Get the file again from your instance.',
  })
}

export function messagesOf(decoded: Decoded, name: string): readonly Decoded[] {
  return (decoded[name] as readonly Decoded[] | undefined) ?? []
}

export function textOf(decoded: Decoded, name: string): string {
  return (decoded[name] as string | undefined) ?? ''
}

export function checkMediaType(decoded: Decoded, allowed: readonly string[], path: string): string {
  const mediaType = textOf(decoded, 'mediaType')
  if (!allowed.includes(mediaType))
    throw new TrustError('TRUST_MEDIA_TYPE_UNSUPPORTED', `${path} "${mediaType.slice(0, 128)}" is not known`, {
      check: path,
      expected: allowed.join(' or '),
      found: mediaType.slice(0, 128),
      hint: 'If a newer tool wrote the file, get a newer touchmark.',
    })
  return mediaType
}

/** A period that must have a start: without one, Go's protobuf and hand-edited files would make it valid for ever. */
export function rangeOf(decoded: Decoded, name: string, path: string): TimeRange | undefined {
  const range = decoded[name] as Decoded | undefined
  if (range === undefined) return undefined
  const start = textOf(range, 'start')
  if (start === '') throw missing(`${path}.${name}.start`)
  const end = textOf(range, 'end')
  const period = {
    start: parseTime(start, 'up', `${path}.${name}.start`),
    ...(end === '' ? {} : { end: parseTime(end, 'down', `${path}.${name}.end`) }),
  }
  if (period.end !== undefined && period.end.getTime() < period.start.getTime())
    throw new TrustError('TRUST_FIELD_INVALID', `${path}.${name} ends before it starts`, {
      check: `${path}.${name}`,
      expected: `an end after ${start}`,
      found: end,
      hint: 'Get the file again from your instance.',
    })
  return period
}
