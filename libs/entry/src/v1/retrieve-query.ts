import type { JsonValue } from '@touchmark/encoding'
import { EntryError } from '../errors.js'
import { elementTexts } from './element-texts.js'
import { ShapeError } from './errors.js'
import { goType, isObject, member, readJson } from './json.js'
import { kindProblem, readProposedEntry, unmarshal, type ProposedEntry } from './request.js'

/** A leaf hash, or a tree's id and a leaf hash (log-v1.md §2), in either letter case. */
export const ENTRY_ID = '^([0-9a-fA-F]{64}|[0-9a-fA-F]{80})$'
const ENTRY_ID_PATTERN = new RegExp(ENTRY_ID)

/** Of each member, and of all together. */
const MAX_ITEMS = 10
const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)
const INTEGER = /^-?\d{1,19}$/

/** What `POST /api/v1/log/entries/retrieve` asks for. */
export interface V1RetrieveQuery {
  readonly entryIds: readonly string[]
  readonly indexes: readonly bigint[]
  readonly entries: readonly ProposedEntry[]
}

const STRUCT =
  'value of type struct { Entries json.RawMessage "json:\\"entries\\""; EntryUUIDs []string "json:\\"entryUUIDs\\""; LogIndexes []*int64 "json:\\"logIndexes\\"" }'

/** Reads the body of a retrieve (log-v1.md §8). Throws ENTRY_V1_JSON and ENTRY_V1_SHAPE, whose texts may be sent. */
export function parseV1RetrieveQuery(bytes: Uint8Array): V1RetrieveQuery {
  if (bytes.length === 0) throw new ShapeError(602, 'entry in body is required')
  const body = readJson(bytes)
  if (body !== null && !isObject(body)) throw unmarshal(goType(body), STRUCT)
  const ids = listOf(body, 'entryUUIDs')?.map(idOf)
  const sentIndexes = listOf(body, 'logIndexes')
  const indexTexts = sentIndexes?.some((value) => typeof value === 'number') ? elementTexts(bytes, 'logIndexes') : []
  const indexes = sentIndexes?.map((value, i) => indexOf(value, indexTexts[i]))
  const sentEntries = listOf(body, 'entries') ?? []
  tooMany('entries', sentEntries)
  const entries = sentEntries.map((entry, i) => readProposedEntry(entry, `entries.${i}.`, unknownKind))
  tooFew('entryUUIDs', ids)
  tooMany('entryUUIDs', ids)
  ids?.forEach((id, i) => {
    if (!ENTRY_ID_PATTERN.test(id)) throw new ShapeError(605, `entryUUIDs.${i} in body should match '${ENTRY_ID}'`)
  })
  tooFew('logIndexes', indexes)
  tooMany('logIndexes', indexes)
  indexes?.forEach((index, i) => {
    if (index < 0n) throw new ShapeError(609, `logIndexes.${i} in body should be greater than or equal to 0`)
  })
  if ((ids?.length ?? 0) + (indexes?.length ?? 0) + entries.length > MAX_ITEMS) {
    throw new ShapeError(422, `more than max allowed ${MAX_ITEMS} entries in request`, { byHandler: true })
  }
  return { entryIds: ids ?? [], indexes: indexes ?? [], entries }
}

function unknownKind(kind: string): EntryError {
  return new EntryError('ENTRY_V1_JSON', kindProblem(kind))
}

function listOf(body: JsonValue, name: string): readonly JsonValue[] | undefined {
  const value = member(body, name)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw unmarshal(goType(value), `struct field .${name} of type []string`)
  return value as readonly JsonValue[]
}

function idOf(value: JsonValue): string {
  if (value === null) return ''
  if (typeof value !== 'string') throw unmarshal(goType(value), 'struct field .entryUUIDs of type string')
  return value
}

/** A null is read as 0, as the reference reads it; a number as it was sent, since not every int64 is a number here. */
function indexOf(value: JsonValue, text = ''): bigint {
  if (value === null) return 0n
  if (typeof value !== 'number') throw unmarshal(goType(value), 'struct field .logIndexes of type int64')
  const index = INTEGER.test(text) ? BigInt(text) : undefined
  if (index !== undefined && index <= MAX_INT64 && index >= MIN_INT64) return index
  throw unmarshal(`number ${text.slice(0, 40)}`, 'struct field .logIndexes of type int64')
}

function tooFew(name: string, list: readonly unknown[] | undefined): void {
  if (list?.length === 0) throw new ShapeError(612, `${name} in body should have at least 1 items`)
}

function tooMany(name: string, list: readonly unknown[] | undefined): void {
  if (list !== undefined && list.length > MAX_ITEMS) {
    throw new ShapeError(611, `${name} in body should have at most ${MAX_ITEMS} items`)
  }
}
