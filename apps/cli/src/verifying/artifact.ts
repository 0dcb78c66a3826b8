import type { Bundle } from '@touchmark/bundle'
import { hexDecode } from '@touchmark/encoding'
import { digestAlgorithmOf, type Artifact } from '@touchmark/verify'
import { CliError } from '../errors.js'
import { hashFile } from '../files.js'
import { lookNow, notThere, readNow } from './read-now.js'

/** Larger files are hashed a piece at a time instead of being read whole. */
export const READ_WHOLE_BELOW_BYTES = 16 << 20

const NODE_HASHES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

/** True for an artifact named by its digest instead of a file. */
export function isDigest(named: string): boolean {
  return /^sha\d+:[0-9a-f]+$/i.test(named)
}

/** An artifact as a person names it: a file, or `sha256:<hex>` (also sha384, sha512). It is read, or hashed, once however many bundles it has. */
export class NamedArtifact {
  readonly #named: string
  #read: Artifact | undefined
  readonly #digests = new Map<string, Artifact>()

  constructor(named: string) {
    this.#named = named
  }

  /** As the verification of this bundle needs it. Throws CLI_USAGE for a digest that is none, CLI_FILE_UNREADABLE. */
  async for(bundle: Bundle): Promise<Artifact> {
    if (this.#read !== undefined) return this.#read
    if (isDigest(this.#named)) return (this.#read = digestOf(this.#named))
    const found = lookNow(this.#named)
    if (found === undefined) throw notThere(this.#named)
    if (found.size < READ_WHOLE_BELOW_BYTES)
      return (this.#read = { bytes: readNow(this.#named, found.size, READ_WHOLE_BELOW_BYTES) })
    const algorithm = digestAlgorithmOf(bundle)
    const known = this.#digests.get(algorithm)
    if (known !== undefined) return known
    const digest = { digest: await hashFile(this.#named, NODE_HASHES[algorithm]), algorithm }
    this.#digests.set(algorithm, digest)
    return digest
  }
}

/** The digest that a text names. Throws CLI_USAGE. */
export function digestOf(named: string): Artifact {
  const digest = /^sha(256|384|512):([0-9a-f]+)$/i.exec(named)
  if (digest === null)
    throw new CliError('CLI_USAGE', `${named.slice(0, 80)} is no digest that a signature is made over`, {
      expected: 'sha256:, sha384: or sha512:, and the digest in hexadecimal',
    })
  const bits = digest[1] as '256' | '384' | '512'
  if (digest[2]!.length !== Number(bits) / 4)
    throw new CliError('CLI_USAGE', `${named.slice(0, 80)} has not the length of a SHA-${bits} digest`)
  return { digest: hexDecode(digest[2]!.toLowerCase()), algorithm: `SHA2_${bits}` }
}
