import { anyObject, digestSet, filled, list, object, text, type Schema } from './parts.js'

const artifacts: Schema = { type: 'object', additionalProperties: digestSet }

/** Predicate `https://in-toto.io/Link/v1`: a link of in-toto 0.9, with all the members that such a link has. */
export const inTotoLink: Schema = object(
  {
    _type: { const: 'link' },
    name: filled,
    command: list(text),
    materials: artifacts,
    products: artifacts,
    byproducts: anyObject,
    environment: anyObject,
  },
  ['_type', 'name', 'command', 'materials', 'products', 'byproducts', 'environment'],
)
