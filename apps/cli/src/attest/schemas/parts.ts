/** JSON Schema (draft 7), as far as the schemas of this folder use it. */
export type Schema = Readonly<Record<string, unknown>>

export const text: Schema = { type: 'string' }
/** A string that says something. */
export const filled: Schema = { type: 'string', minLength: 1 }
export const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more })
export const anyObject: Schema = { type: 'object' }
export const time: Schema = { type: 'string', format: 'date-time' }
export const flag: Schema = { type: 'boolean' }

/** An object with these members; others are allowed, as in-toto's parsing rules want. */
export const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
})

/** SLSA: a member that is null is one that is not there. */
export const optional = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })

/** in-toto's DigestSet: algorithm to digest, as text. */
export const digestSet: Schema = { type: 'object', additionalProperties: text }

/** A URI by its scheme; the rest is the business of whoever follows it. */
export const uri: Schema = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9+.-]*:' }
