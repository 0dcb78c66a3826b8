import type { JsonValue } from '@touchmark/encoding'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { CliError } from '../errors.js'
import { allDiffer, Identities } from './all-differ.js'
import { CYCLONEDX_VERSIONS, cyclonedxSchema, cyclonedxVersion } from './cyclonedx-schema.js'
import type { Schema } from './schemas/parts.js'

const CYCLONEDX = /^https:\/\/cyclonedx\.org\/(bom|schema)(\/v?1\.\d)?$/

/**
 * Holds a predicate against the schema of its type. Resolves with what it was held against, or undefined when there is no schema for the type. Throws
 * CLI_PREDICATE_INVALID with the place that does not fit. The compiler is loaded here and not before: most commands never need it.
 */
export async function checkSchema(predicateType: string, predicate: JsonValue): Promise<string | undefined> {
  if (CYCLONEDX.test(predicateType)) return checkCyclonedx(predicate)
  const { schemaOf } = await import('./schemas/index.js')
  const schema = schemaOf(predicateType)
  if (schema === undefined) return undefined
  check(await compiled(predicateType, () => compile(schema, new Map())), predicate, predicateType)
  return predicateType
}

async function checkCyclonedx(predicate: JsonValue): Promise<string> {
  const version = cyclonedxVersion(predicate)
  const found = version === undefined ? undefined : await cyclonedxSchema(version)
  if (found === undefined)
    throw unfit(
      'a CycloneDX document',
      `specVersion ${CYCLONEDX_VERSIONS.join(', ')}`,
      version === undefined ? 'no specVersion' : `specVersion ${JSON.stringify(version.slice(0, 40))}`,
    )
  const name = `CycloneDX ${version}`
  check(await compiled(name, () => compile(found.schema, found.shared)), predicate, name)
  return name
}

/** Making a validator takes longer than a validation. */
const validators = new Map<string, Promise<ValidateFunction>>()

function compiled(name: string, make: () => Promise<ValidateFunction>): Promise<ValidateFunction> {
  let validator = validators.get(name)
  if (validator === undefined) validators.set(name, (validator = make()))
  return validator
}

async function compile(schema: Schema, shared: ReadonlyMap<string, Schema>): Promise<ValidateFunction> {
  const [{ Ajv }, { default: formats }] = await Promise.all([import('ajv'), import('ajv-formats')])
  // No loadSchema: a $ref that is not among `shared` is an error when the schema is compiled, and never a request.
  const ajv = new Ajv({ strict: false, logger: false, allErrors: false })
  // Their expressions have no nested repetition, so a long string costs time in proportion to its length.
  formats.default(ajv, ['date', 'date-time'])
  ajv.addFormat('iri-reference', /^[^\s<>"{}|\\^`]*$/u)
  ajv.addFormat('idn-email', /^[^\s@]{1,256}@[^\s@]{1,256}$/u)
  // Ajv compares each element with each other: hours for an SBOM of a hundred thousand components.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: JsonValue[]) => !wanted || allDiffer(items, identities),
    error: { message: 'must not have the same element twice' },
  })
  for (const [address, one] of shared) ajv.addSchema(one, address)
  return ajv.compile(schema)
}

/** Of the document that is being checked. */
let identities = new Identities()

function check(validate: ValidateFunction, predicate: JsonValue, name: string): void {
  identities = new Identities()
  if (validate(predicate)) return
  // The last error is that of the keyword that failed; those before it are why each of its alternatives did.
  const errors = validate.errors ?? []
  const deepest = errors.reduce((best, one) => (one.instancePath.length > best.instancePath.length ? one : best))
  throw unfit(name, ...wordsOf(deepest))
}

function wordsOf(error: ErrorObject): [string, string] {
  const { keyword, message, instancePath, params } = error
  const allowed = (params as { allowedValues?: readonly unknown[] }).allowedValues
  const { additionalProperty: extra, missingProperty: missing } = params as Partial<Record<string, string>>
  const expected =
    keyword === 'enum' && allowed !== undefined
      ? `one of ${allowed.slice(0, 8).map(String).join(', ')}${allowed.length > 8 ? `, … (${allowed.length})` : ''}`
      : missing !== undefined
        ? `a member ${JSON.stringify(missing.slice(0, 80))}`
        : extra !== undefined
          ? `no member ${JSON.stringify(extra.slice(0, 80))}`
          : (message ?? keyword)
  return [expected.slice(0, 300), `at ${instancePath === '' ? 'the top' : instancePath.slice(0, 300)}`]
}

function unfit(name: string, expected: string, found: string): CliError {
  return new CliError('CLI_PREDICATE_INVALID', `the predicate does not fit the schema of ${name}`, {
    expected,
    found,
    hint: 'Correct it, or name the type that it is. --no-schema signs it as it is.',
  })
}
