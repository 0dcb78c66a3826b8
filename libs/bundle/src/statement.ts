import { hexDecode, parseJson, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { BundleError } from './errors.js'
import { isJsonObject } from './json.js'
import { BUNDLE_LIMITS } from './limits.js'

export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/** Digests of one subject by in-toto's algorithm name (`sha256`, …), decoded from hexadecimal; others are left out. */
export type DigestSet = ReadonlyMap<string, Uint8Array>

export interface StatementSubject {
  readonly name: string
  readonly digest: DigestSet
}

/** An in-toto statement v0.1 or v1. Nothing in it has been verified. */
export interface Statement {
  readonly type: string
  readonly subjects: readonly StatementSubject[]
  readonly predicateType: string
  /** Any JSON value; cosign signs some statements without one. */
  readonly predicate: JsonValue | undefined
}

const TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1']

function bad(why: string, cause?: unknown): BundleError {
  return new BundleError('BUNDLE_STATEMENT_INVALID', `the payload is no in-toto statement: ${why}`, {
    cause,
    check: 'in-toto statement',
    expected: 'an in-toto statement v0.1 or v1',
    found: why,
    hint: 'The signer signed something else than an attestation: ask who made it.',
  })
}

/**
 * Reads the payload of an in-toto envelope: strict JSON without repeated members (two readers must see one statement), members that
 * in-toto does not name are ignored, as its specification says. At most 4096 subjects with 16 digests each. Throws BUNDLE_STATEMENT_INVALID.
 */
export function parseStatement(payload: Uint8Array): Statement {
  let value: JsonValue
  try {
    value = parseJson(payload, { trailing: 'refuse', duplicates: 'refuse', maxDepth: BUNDLE_LIMITS.statementDepth })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw bad(cause.message, cause)
  }
  if (!isJsonObject(value)) throw bad('not an object')
  const { _type: type, subject, predicateType, predicate } = value
  if (typeof type !== 'string' || !TYPES.includes(type)) throw bad(`_type must be ${TYPES.join(' or ')}`)
  if (typeof predicateType !== 'string' || predicateType === '') throw bad('predicateType must be a string')
  if (!Array.isArray(subject) || subject.length === 0) throw bad('subject must be a list of at least one')
  if (subject.length > BUNDLE_LIMITS.subjects) throw bad(`more than ${BUNDLE_LIMITS.subjects} subjects`)
  return { type, predicateType, predicate: predicate ?? undefined, subjects: subject.map(readSubject) }
}

function readSubject(value: JsonValue): StatementSubject {
  if (!isJsonObject(value)) throw bad('a subject must be an object')
  const { name, digest } = value
  if (name !== undefined && name !== null && typeof name !== 'string') throw bad("a subject's name must be a string")
  if (!isJsonObject(digest)) throw bad("a subject's digest must be an object")
  const algorithms = Object.keys(digest)
  if (algorithms.length > BUNDLE_LIMITS.digestsOfSubject) throw bad('too many digests of one subject')
  const digests = new Map<string, Uint8Array>()
  for (const algorithm of algorithms) {
    const hex = digest[algorithm]
    if (typeof hex !== 'string') throw bad('a digest must be a string')
    // in-toto also names digests that are not hexadecimal (goModuleHash): they can match nothing here.
    if (hex.length <= 128 && hex.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(hex)) digests.set(algorithm, hexDecode(hex))
  }
  return { name: name ?? '', digest: digests }
}
