import type { JsonValue } from '@touchmark/encoding'
import { EntryError } from '../errors.js'
import { ShapeError } from './errors.js'
import { goType, isObject, member, readJson } from './json.js'

/** Every kind that API v1 knows; not all of them are taken here. */
export const V1_KINDS = [
  'alpine',
  'cose',
  'dsse',
  'hashedrekord',
  'helm',
  'intoto',
  'jar',
  'rekord',
  'rfc3161',
  'rpm',
  'tuf',
] as const
export type V1Kind = (typeof V1_KINDS)[number]

/** An entry as it was sent: its three outer members are there, and nothing in its spec has been looked at. */
export interface ProposedEntry {
  readonly kind: V1Kind
  readonly version: string
  readonly spec: JsonValue
}

/** Semantic versioning, as the reference's schema says it. */
const VERSION_SOURCE = String.raw`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`
const VERSION = new RegExp(VERSION_SOURCE)
const MAX_VERSION_CHARS = 64

/**
 * Reads the body of `POST /api/v1/log/entries`. The caller bounds the size. Throws ENTRY_V1_JSON (status 400, where the reference says 500: clients
 * would retry that) and ENTRY_V1_SHAPE (422, with its number), whose texts may be sent.
 */
export function parseV1Request(bytes: Uint8Array): ProposedEntry {
  if (bytes.length === 0) throw new ShapeError(602, 'proposedEntry in body is required')
  return readProposedEntry(readJson(bytes), '', (kind) => new ShapeError(kind === '' ? 602 : 422, kindProblem(kind)))
}

/** Reads one proposed entry out of a larger body. `noKind` makes the error for a kind that is missing ('') or unknown. */
export function readProposedEntry(value: JsonValue, path: string, noKind: (kind: string) => EntryError): ProposedEntry {
  if (value !== null && !isObject(value)) throw unmarshal(goType(value), 'value of type models.targetedProposedEntry')
  const kind = textOf(value, 'kind')
  if (!(V1_KINDS as readonly string[]).includes(kind)) throw noKind(kind)
  const version = textOf(value, 'apiVersion')
  if (version === '') throw new ShapeError(602, `${path}apiVersion in body is required`)
  if (version.length > MAX_VERSION_CHARS || !VERSION.test(version)) {
    throw new ShapeError(605, `${path}apiVersion in body should match '${VERSION_SOURCE}'`)
  }
  const spec = member(value, 'spec')
  if (spec === undefined) throw new ShapeError(602, `${path}spec in body is required`)
  return { kind: kind as V1Kind, version, spec }
}

/** What is wrong with a kind: it is missing, or no entry has it. */
export function kindProblem(kind: string): string {
  if (kind === '') return 'kind in body is required'
  return `invalid kind value: ${quoted(kind)}`
}

/** A string as Go quotes it in an error, cut to a length that may stand in an answer. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100).toWellFormed()).replaceAll(
    /[\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  )
}

function textOf(value: JsonValue, name: string): string {
  const found = member(value, name)
  if (found === undefined) return ''
  if (typeof found !== 'string')
    throw unmarshal(goType(found), `struct field targetedProposedEntry.${name} of type string`)
  return found
}

/** What Go says of a value of the wrong type. */
export function unmarshal(type: string, into: string): EntryError {
  return new EntryError('ENTRY_V1_JSON', `json: cannot unmarshal ${type} into Go ${into}`)
}
