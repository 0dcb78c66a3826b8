import type { Clock } from '@touchmark/clock'
import { parseJson, utf8Decode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'
import { PREDICATE_TYPES, predicateTypeUri } from '../statement.js'
import { checkSchema } from './check-schema.js'
import { kindOfDocument, otherFormOf, otherJsonOf, type DocumentKind } from './document-kind.js'

/** Read before anything is parsed. A bundle holds the statement in base64, and is at most 32 MiB. */
export const PREDICATE_LIMIT_BYTES = 16 << 20
/** A statement is one level deeper, and verifiers stop at 256. */
const DEPTH = 250
const CUSTOM = PREDICATE_TYPES['custom']!

export interface PredicateOptions {
  /** A file that holds the predicate. */
  readonly predicate?: string
  /** A file that holds an SBOM; its type is told by what is in it. */
  readonly sbom?: string
  /** A short name or a URI. */
  readonly type?: string
  /** False: do not hold it against the schema of its type. */
  readonly schema?: boolean
}

export interface Predicate {
  /** URI. */
  readonly type: string
  /** One JSON value, as it goes into the statement. */
  readonly bytes: Uint8Array
  /** The type was told by the document. */
  readonly kind?: DocumentKind
}

/**
 * Reads a predicate and checks it. `custom` wraps a file of any text as cosign does; every other type takes one strict JSON object, whose bytes stay as
 * they are. Throws CLI_USAGE, CLI_FILE_UNREADABLE, CLI_PREDICATE_INVALID.
 */
export async function readPredicate(options: PredicateOptions, clock: Clock): Promise<Predicate> {
  const file = options.sbom ?? options.predicate
  if (file === undefined || (options.sbom !== undefined && options.predicate !== undefined))
    throw new CliError('CLI_USAGE', 'say what to attest: --predicate FILE, --sbom FILE or --statement FILE', {
      expected: 'one of the three',
    })
  if (options.sbom !== undefined && options.type !== undefined)
    throw new CliError(
      'CLI_USAGE',
      '--sbom tells the type by what is in the file: leave --type out, or use --predicate',
    )
  const asked = options.type === undefined ? undefined : predicateTypeUri(options.type)
  const bytes = await readInput(file, PREDICATE_LIMIT_BYTES)
  if (asked === CUSTOM) return { type: asked, bytes: wrapCustom(file, bytes, clock) }
  const document = readDocument(file, bytes)
  const kind = kindOfDocument(document)
  const type = asked ?? typeOf(file, document, kind, options.sbom !== undefined)
  if (options.schema !== false) {
    refuseOtherKind(type, kind)
    await checkSchema(type, document)
  }
  return { type, bytes, ...(kind === undefined || asked !== undefined ? {} : { kind }) }
}

/** As cosign: the text as it is, and when. */
function wrapCustom(file: string, bytes: Uint8Array, clock: Clock): Uint8Array {
  let text: string
  try {
    text = utf8Decode(bytes)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CliError('CLI_PREDICATE_INVALID', `the predicate ${file} is no text in UTF-8`, { cause })
  }
  const Timestamp = clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
  return utf8Encode(JSON.stringify({ Data: text, Timestamp }))
}

/** One strict JSON object. Throws CLI_PREDICATE_INVALID. */
function readDocument(file: string, bytes: Uint8Array): JsonValue {
  let value: JsonValue
  try {
    value = parseJson(bytes, { maxDepth: DEPTH })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const other = otherFormOf(bytes)
    throw other === undefined
      ? new CliError('CLI_PREDICATE_INVALID', `the predicate ${file} is not strict JSON`, {
          cause,
          found: cause.message,
        })
      : notCarried(file, other)
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  const found = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`
  throw new CliError('CLI_PREDICATE_INVALID', `the predicate ${file} is not a JSON object`, { found })
}

function notCarried(file: string, other: { readonly name: string; readonly hint: string }): CliError {
  return new CliError('CLI_PREDICATE_INVALID', `${file} is ${other.name}, which cannot be attested as it is`, {
    expected: 'SPDX JSON, CycloneDX JSON or Syft JSON',
    found: other.name,
    hint: other.hint,
  })
}

function typeOf(file: string, document: JsonValue, kind: DocumentKind | undefined, sbom: boolean): string {
  if (kind !== undefined && (kind.sbom || !sbom)) return kind.predicateType
  const other = otherJsonOf(document)
  if (other !== undefined) throw notCarried(file, other)
  if (sbom)
    throw new CliError('CLI_PREDICATE_INVALID', `${file} is no SBOM of a known form`, {
      expected: 'SPDX JSON, CycloneDX JSON or Syft JSON',
      found: kind?.name ?? 'another JSON document',
      hint: 'If you know what it is, pass it with --predicate FILE --type TYPE.',
    })
  throw new CliError('CLI_USAGE', `${file} does not say what it is: pass --type TYPE`, {
    expected: `${Object.keys(PREDICATE_TYPES).join(', ')}, or a URI`,
  })
}

const TOLD_BY_CONTENT = ['spdxjson', 'spdx3json', 'cyclonedx', 'syftjson', 'openvex'].map(
  (one) => PREDICATE_TYPES[one]!,
)

/** A document that says what it is, under the type of another kind: the schema would refuse it too, in words that help less. */
function refuseOtherKind(type: string, kind: DocumentKind | undefined): void {
  if (kind === undefined || type === kind.predicateType || type.startsWith(`${kind.predicateType}/v`)) return
  if (!TOLD_BY_CONTENT.some((one) => type === one || type.startsWith(`${one}/v`))) return
  throw new CliError('CLI_PREDICATE_INVALID', `the predicate is ${kind.name}, not what its type says`, {
    expected: type,
    found: kind.predicateType,
    hint: 'Leave --type out: it is told by the document.',
  })
}
