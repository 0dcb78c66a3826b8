import { anyObject, filled, list, object, text, type Schema } from './parts.js'

const syftPackage: Schema = object(
  {
    id: filled,
    name: text,
    version: text,
    type: text,
    foundBy: text,
    locations: { anyOf: [list(anyObject), { type: 'null' }] },
    // A text up to schema 7, an object from 8 on.
    licenses: { anyOf: [list({ anyOf: [text, anyObject] }), { type: 'null' }] },
    language: text,
    purl: text,
    metadataType: text,
  },
  ['id', 'name', 'version', 'type'],
)

/** Predicate `https://syft.dev/bom`: Syft's own JSON, as far as all its versions agree. */
export const syft: Schema = object(
  {
    artifacts: list(syftPackage),
    artifactRelationships: list(object({ parent: filled, child: filled, type: filled }, ['parent', 'child', 'type'])),
    files: { anyOf: [list(anyObject), { type: 'null' }] },
    source: object({ type: filled }, ['type']),
    distro: anyObject,
    descriptor: object({ name: filled, version: text }, ['name', 'version']),
    schema: object({ version: filled, url: filled }, ['version', 'url']),
  },
  ['artifacts', 'artifactRelationships', 'source', 'descriptor', 'schema'],
)
