import { utf8Encode } from '../bytes.js'

/** One field of a message, in proto's terms. Bytes decode to Uint8Array, int64 to bigint, enums to their number. */
export type ProtoField =
  | { kind: 'string' }
  | { kind: 'bytes' }
  | { kind: 'bool' }
  | { kind: 'int64' }
  | { kind: 'int32' }
  | { kind: 'double' }
  | { kind: 'enum'; values: Readonly<Record<string, number>> }
  | { kind: 'message'; of: ProtoSchema }
  | { kind: 'repeated'; of: ProtoField }
  /** Any JSON value, kept as it is. */
  | { kind: 'json' }

/** A message: its full proto name (error texts carry it), its fields by camelCase name, and which of them exclude each other. */
export interface ProtoSchema {
  name: string
  fields: Readonly<Record<string, ProtoField>>
  oneofs?: Readonly<Record<string, readonly string[]>>
}

/** How one message is read; the defaults are those of Go's protojson behind a gRPC gateway. */
export interface ProtoJsonOptions {
  unknownFields: 'refuse' | 'ignore'
  /** Take `snake_case` names beside `camelCase`. Default true. */
  snakeCase?: boolean
  /** What to do with bytes after the first JSON value. Default 'ignore', as a gateway does; files want 'refuse'. */
  trailing?: 'ignore' | 'refuse'
  /** What an empty or blank input is. Default: the empty message where `trailing` is 'ignore', else refused. */
  empty?: 'message' | 'refuse'
  /** What an unknown enum name does. Default: as `unknownFields`, like Go's DiscardUnknown. */
  unknownEnumNames?: 'refuse' | 'ignore'
  /** int64 as decimal string only, padded standard base64 only, enums by name only. Default false. */
  strictValues?: boolean
  /** Nesting of objects and arrays, the outermost included. Default 100. */
  maxDepth?: number
}

/** A field as the decoder looks it up. */
export interface CompiledField {
  readonly name: string
  readonly field: ProtoField
  /** Bit by which the decoder remembers that the field was seen; both spellings share it. */
  readonly index: number
  /** Index of the oneof the field is in, or -1. */
  readonly oneof: number
  readonly oneofName: string
}

export interface CompiledName {
  readonly text: string
  readonly bytes: Uint8Array
  readonly snake: boolean
  readonly field: CompiledField
}

export interface CompiledSchema {
  readonly name: string
  readonly names: readonly CompiledName[]
}

/** `hashedRekordRequestV002` -> `hashed_rekord_request_v002`: undoes protoc's JSON names. */
export function snakeCaseOf(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const compiled = new WeakMap<ProtoSchema, CompiledSchema>()

/** Look-up tables of a schema; made once for each schema object. */
export function compileSchema(schema: ProtoSchema): CompiledSchema {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const oneofs = Object.entries(schema.oneofs ?? {})
  const names = Object.entries(schema.fields).flatMap(([name, field], index): CompiledName[] => {
    const oneof = oneofs.findIndex(([, members]) => members.includes(name))
    const entry = { name, field, index, oneof, oneofName: oneof < 0 ? '' : `${schema.name}.${oneofs[oneof]![0]}` }
    const snake = snakeCaseOf(name)
    const camelName = { text: name, bytes: utf8Encode(name), snake: false, field: entry }
    return snake === name
      ? [camelName]
      : [camelName, { text: snake, bytes: utf8Encode(snake), snake: true, field: entry }]
  })
  const result = { name: schema.name, names }
  compiled.set(schema, result)
  return result
}
