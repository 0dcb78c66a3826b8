import { type JsonValue } from '@touchmark/encoding'
import { IdentityError } from './errors.js'

/** Steps from the root: a member or an index. */
export type JsonPath = readonly string[]

const MAX_LENGTH = 1024
const STEP = /\.([\p{L}_][\p{L}\p{Nd}_]*)|\[\s*(?:"([^"\\]*)"|'([^'\\]*)'|(\d{1,9}))\s*\]/uy

/**
 * Parses the JSONPath of an `issuer-claim`: `$`, `.name`, `['name']`, `["name"]`, `[0]`, which always lead to one value.
 * Wildcards, ranges, filters and scripts are refused. Throws IDENTITY_JSON_PATH_INVALID.
 */
export function parseJsonPath(text: string): JsonPath {
  const steps: string[] = []
  if (!text.startsWith('$') || text.length > MAX_LENGTH) throw invalid(text)
  let at = 1
  while (at < text.length) {
    STEP.lastIndex = at
    const match = STEP.exec(text)
    if (match === null) throw invalid(text)
    steps.push((match[1] ?? match[2] ?? match[3] ?? match[4])!)
    at = STEP.lastIndex
  }
  return steps
}

function invalid(text: string): IdentityError {
  const shown = JSON.stringify(text.slice(0, 100))
  return new IdentityError('IDENTITY_JSON_PATH_INVALID', `${shown} is not a JSONPath of names and indexes`)
}

/** The value a path leads to; undefined when there is none. */
export function readJsonPath(path: JsonPath, root: JsonValue): JsonValue | undefined {
  let value: JsonValue | undefined = root
  for (const step of path) {
    if (value === null || typeof value !== 'object') return undefined
    if (Array.isArray(value)) {
      if (!/^(0|[1-9]\d*)$/.test(step)) return undefined
      value = (value as readonly JsonValue[])[Number(step)]
    } else if (Object.hasOwn(value, step)) value = (value as { readonly [member: string]: JsonValue })[step]
    else return undefined
  }
  return value
}
