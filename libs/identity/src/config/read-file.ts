import { EncodingError, parseJson, utf8Encode } from '@touchmark/encoding'
import { isScalar, parseDocument, visit } from 'yaml'
import { IdentityError } from '../errors.js'

/** A file of either spelling with the names of the YAML one; every scalar as text. */
export type RawValue = string | null | RawMap | readonly RawValue[]
export type RawMap = ReadonlyMap<string, RawValue>

const MAX_LENGTH = 4 * 1024 * 1024
const YAML_NULLS = new Set(['', '~', 'null', 'Null', 'NULL'])

export function parseError(text: string, cause?: unknown): IdentityError {
  return new IdentityError('IDENTITY_CONFIG_INVALID', `parse: ${text}`, cause === undefined ? {} : { cause })
}

/** Reads the file's syntax: JSON when it is JSON, else YAML. Throws IDENTITY_CONFIG_INVALID. */
export function readConfigFile(text: string): { format: 'json' | 'yaml'; root: RawMap } {
  if (text.length > MAX_LENGTH) throw parseError(`the file is larger than ${MAX_LENGTH} characters`)
  const json = readJson(text)
  if (json !== undefined) return { format: 'json', root: rootMap(json) }
  return { format: 'yaml', root: rootMap(readYaml(text)) }
}

function rootMap(value: RawValue): RawMap {
  if (value === null) return new Map()
  if (!(value instanceof Map)) throw parseError('the file must be a mapping')
  return value as RawMap
}

function readJson(text: string): RawValue | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  try {
    return fromJson(parseJson(utf8Encode(text)))
  } catch (cause) {
    // JSON that names a member twice: one of the two would be silently lost.
    if (cause instanceof EncodingError) throw parseError(cause.message, cause)
    throw cause
  }
}

function fromJson(value: ReturnType<typeof parseJson>): RawValue {
  if (value === null || typeof value === 'string') return value
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.map(fromJson)
  return new Map(Object.entries(value).map(([name, member]) => [name, fromJson(member)]))
}

function readYaml(text: string): RawValue {
  // With the failsafe schema every scalar is the text that stands there, as Go's decoder gives it to a string field.
  const document = parseDocument(text, { schema: 'failsafe', merge: true, uniqueKeys: true, logLevel: 'silent' })
  const [error] = document.errors
  if (error !== undefined) throw parseError(`yaml: ${error.message.split('\n')[0]!}`, error)
  visit(document, (_, node) => {
    if (isScalar(node) && node.type === 'PLAIN' && YAML_NULLS.has(String(node.value ?? ''))) node.value = null
  })
  try {
    return (document.toJS({ mapAsMap: true, maxAliasCount: 100 }) ?? null) as RawValue
  } catch (cause) {
    throw parseError('yaml: an alias cannot be resolved', cause)
  }
}
