import type { GivenUpTree } from './head-guard.js'

/** Longest record that is read. */
export const MAX_GIVEN_UP_BYTES = 1024 * 1024

export function formatGivenUp({ origin, kept, lost, at }: GivenUpTree): string {
  return `${JSON.stringify({ origin, kept, lost, at }, undefined, 2)}\n`
}

/** Reads the record of a tree that was given up; undefined when it is none, or that of another tree. */
export function parseGivenUp(text: string, origin: string): GivenUpTree | undefined {
  const tree = readGivenUp(text)
  return tree?.origin === origin ? tree : undefined
}

/** Reads the record of whatever tree it is of; undefined when it is none. */
export function readGivenUp(text: string): GivenUpTree | undefined {
  if (text.length > MAX_GIVEN_UP_BYTES) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { origin, kept, lost, at } = value as Record<string, unknown>
  if (typeof origin !== 'string' || typeof kept !== 'string' || typeof at !== 'string') return undefined
  if (!Array.isArray(lost) || !lost.every((note) => typeof note === 'string')) return undefined
  return { origin, kept, lost, at }
}
