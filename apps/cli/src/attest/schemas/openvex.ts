import { digestSet, filled, list, object, text, time, type Schema } from './parts.js'

const component: Schema = object({ '@id': text, identifiers: digestSet, hashes: digestSet })
/** Version 0.0.1 named products by a string. */
const product: Schema = {
  anyOf: [
    filled,
    {
      ...component,
      properties: {
        ...(component['properties'] as object),
        subcomponents: list({ anyOf: [filled, component] }),
      },
    },
  ],
}

const statement: Schema = {
  ...object(
    {
      '@id': text,
      version: { type: 'integer', minimum: 1 },
      vulnerability: {
        anyOf: [filled, { ...object({ '@id': text, name: filled, description: text, aliases: list(text) }, ['name']) }],
      },
      timestamp: time,
      last_updated: time,
      products: list(product),
      status: { enum: ['not_affected', 'affected', 'fixed', 'under_investigation'] },
      supplier: text,
      status_notes: text,
      justification: {
        enum: [
          'component_not_present',
          'vulnerable_code_not_present',
          'vulnerable_code_not_in_execute_path',
          'vulnerable_code_cannot_be_controlled_by_adversary',
          'inline_mitigations_already_exist',
        ],
      },
      impact_statement: text,
      action_statement: text,
      action_statement_timestamp: time,
    },
    ['vulnerability', 'status'],
  ),
  allOf: [
    {
      if: { properties: { status: { const: 'not_affected' } } },
      then: { anyOf: [{ required: ['justification'] }, { required: ['impact_statement'] }] },
    },
    { if: { properties: { status: { const: 'affected' } } }, then: { required: ['action_statement'] } },
  ],
}

/** Predicate `https://openvex.dev/ns`: an OpenVEX document, 0.0.1 or 0.2.0. */
export const openvex: Schema = object(
  {
    '@context': { type: 'string', pattern: '^https://openvex\\.dev/ns' },
    '@id': filled,
    author: filled,
    role: text,
    timestamp: time,
    last_updated: time,
    // 0.0.1 wrote it as text.
    version: { anyOf: [{ type: 'integer', minimum: 1 }, filled] },
    tooling: text,
    statements: list(statement, { minItems: 1 }),
  },
  ['@context', '@id', 'author', 'timestamp', 'version', 'statements'],
)
