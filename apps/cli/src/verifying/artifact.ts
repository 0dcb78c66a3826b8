import type { Bundle } from '@touchmark/bundle'
import type { HashAlgorithm } from '@touchmark/crypto'
import { hexDecode } from '@touchmark/encoding'
import { digestAlgorithmsOf, type Artifact } from '@touchmark/verify'
import { CliError } from '../errors.js'
import { hashRegularFile } from '../files.js'
import { lookNow, notThere, readNow, type Chosen } from './read-now.js'

/** Larger files are hashed a piece at a time instead of being read whole. */
export const READ_WHOLE_BELOW_BYTES = 16 << 20
/** What comes out of a pipe can be read once only, so it is held in memory. */
const PIPE_LIMIT_BYTES = 128 << 20

const NODE_HASHES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

/** True for an argument that is a digest and no file. To be asked of what a person wrote, never of a name that was found in a folder. */
export function isDigest(argument: string): boolean {
  return /^sha\d+:[0-9a-f]+$/i.test(argument)
}

/** What is held against bundles: a file, or a digest that a person gave instead of it. */
export interface ArtifactSource {
  /** The file, as it is opened; of a digest what was written. */
  readonly named: string
  /** The digest that was given; then no file is looked at. */
  readonly digest?: Artifact
  readonly chosen: Chosen
}

/** An artifact that is read once, or hashed once for all algorithms of a bundle, however many bundles it has. */
export class NamedArtifact {
  readonly #source: ArtifactSource
  #read: Artifact | undefined
  readonly #digests = new Map<HashAlgorithm, Uint8Array>()

  constructor(source: ArtifactSource) {
    this.#source = source
    this.#read = source.digest
  }

  /** As the verification of this bundle needs it: the verdict does not depend on the size of the file. Throws CLI_FILE_UNREADABLE. */
  async for(bundle: Bundle): Promise<Artifact> {
    if (this.#read !== undefined) return this.#read
    const { named, chosen } = this.#source
    const found = lookNow(named)
    if (found === undefined) throw notThere(named)
    if (!found.isFile()) return (this.#read = { bytes: readNow(named, found, PIPE_LIMIT_BYTES, chosen) })
    if (found.size < READ_WHOLE_BELOW_BYTES)
      return (this.#read = { bytes: readNow(named, found, READ_WHOLE_BELOW_BYTES, chosen) })
    const missing = digestAlgorithmsOf(bundle).filter((algorithm) => !this.#digests.has(algorithm))
    if (missing.length > 0) {
      const digests = await hashRegularFile(
        named,
        missing.map((algorithm) => NODE_HASHES[algorithm]),
      )
      missing.forEach((algorithm, i) => this.#digests.set(algorithm, digests[i]!))
    }
    return { digests: this.#digests }
  }
}

/** The digest that a text names. Throws CLI_USAGE. */
export function digestOf(named: string): { readonly digest: Uint8Array; readonly algorithm: HashAlgorithm } {
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
