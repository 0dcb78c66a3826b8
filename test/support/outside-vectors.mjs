// Others' test vectors, which are not part of this repository.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of these vectors, or undefined where they are absent; see outside-vectors.d.mts. */
export function outsideVectors(name, environment = process.env) {
  const given = environment.TOUCHMARK_VECTORS
  if (given === '') return undefined
  const folder = join(given ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url)), name)
  if (existsSync(folder)) return folder
  const { CI } = environment
  if (given === undefined && (CI === undefined || CI === '' || CI === 'false')) return undefined
  throw new Error(
    `the vectors ${name} are absent: there is no ${folder}. Name the folder that has them in TOUCHMARK_VECTORS, or set it to nothing to do without.`,
  )
}
