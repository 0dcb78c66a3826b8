import { createHash } from 'node:crypto'

/** The verifier key line of a log (docs/contract/log-v2.md §7). */
export function verifierKey(origin, spki) {
  const id = createHash('sha256').update(spki).digest().subarray(0, 4).toString('hex')
  return `${origin}+${id}+${Buffer.concat([Buffer.of(2), spki]).toString('base64')}`
}
