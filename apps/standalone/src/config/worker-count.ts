import { availableParallelism } from 'node:os'
import { StandaloneError } from '../errors.js'

/** So many share the embedded server's connections with two each. */
export const MAX_WORKERS = 24

/** `--workers`: a number, or `auto` for one a core. Throws STANDALONE_CONFIG. */
export function workerCount(text: string | undefined, cores: number = availableParallelism()): number {
  if (text === undefined) return 1
  if (text === 'auto') return Math.min(cores, MAX_WORKERS)
  const number = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= MAX_WORKERS) return number
  throw new StandaloneError('STANDALONE_CONFIG', `--workers must be auto or a number from 1 to ${MAX_WORKERS}`)
}
