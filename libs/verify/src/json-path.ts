import type { JsonValue } from '@touchmark/encoding'

export function isObject(value: JsonValue | undefined): value is { readonly [member: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path; undefined when any step is not there. Never looks at a prototype. */
export function memberAt(value: JsonValue, path: readonly (string | number)[]): JsonValue | undefined {
  let at: JsonValue | undefined = value
  for (const step of path) {
    if (typeof step === 'number') at = Array.isArray(at) ? (at[step] as JsonValue | undefined) : undefined
    else at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
  }
  return at
}

/** Where two values differ first, for a message; undefined when they are equal. Both are of bounded depth. */
export function firstDifference(
  expected: JsonValue | undefined,
  found: JsonValue | undefined,
  path = '',
): { path: string; expected: string; found: string } | undefined {
  if (isObject(expected) && isObject(found)) {
    for (const name of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const inner = path === '' ? name : `${path}.${name}`
      const difference = firstDifference(memberAt(expected, [name]), memberAt(found, [name]), inner)
      if (difference !== undefined) return difference
    }
    return undefined
  }
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length) {
    for (const [i, wanted] of (expected as readonly JsonValue[]).entries()) {
      const difference = firstDifference(wanted, found[i] as JsonValue, `${path}[${i}]`)
      if (difference !== undefined) return difference
    }
    return undefined
  }
  return expected === found ? undefined : { path, expected: shown(expected), found: shown(found) }
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value)
}
