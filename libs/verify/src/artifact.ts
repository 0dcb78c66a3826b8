import {
  DIGEST_BYTES,
  type CryptoPort,
  type HashAlgorithm,
  type KeyDetails,
  type PublicKey,
  type SignatureScheme,
} from '@touchmark/crypto'
import { hexEncode } from '@touchmark/encoding'
import { VerifyError } from './errors.js'

/** What the signature is held against: the artifact itself, its digest, or several digests of it (at least one). */
export type Artifact =
  | { readonly bytes: Uint8Array }
  | { readonly digest: Uint8Array; readonly algorithm: HashAlgorithm }
  | { readonly digests: ReadonlyMap<HashAlgorithm, Uint8Array> }

/** Hashing this much costs as much as the detour that a signature over a digest takes; a larger artifact is hashed once only. */
const HASH_TWICE_BELOW_BYTES = 128 * 1024

export class ArtifactDigests {
  readonly #artifact: Artifact
  readonly #crypto: CryptoPort
  readonly #digests = new Map<HashAlgorithm, Uint8Array>()

  /** Throws VERIFY_DIGEST_ALGORITHM when a digest has not the length of its algorithm. */
  constructor(artifact: Artifact, crypto: CryptoPort) {
    this.#artifact = artifact
    this.#crypto = crypto
    if ('bytes' in artifact) return
    const given = 'digests' in artifact ? artifact.digests : new Map([[artifact.algorithm, artifact.digest]])
    for (const [algorithm, digest] of given) {
      if (digest.length !== DIGEST_BYTES[algorithm])
        throw new VerifyError('VERIFY_DIGEST_ALGORITHM', `the digest given is no ${algorithm} digest`, {
          check: 'artifact digest',
          expected: `${DIGEST_BYTES[algorithm]} bytes`,
          found: `${digest.length} bytes`,
        })
      this.#digests.set(algorithm, digest)
    }
    if (given.size === 0) this.digest('SHA2_256')
  }

  /** The digest, or undefined when it is none of those that were given. */
  optional(algorithm: HashAlgorithm): Uint8Array | undefined {
    const known = this.#digests.get(algorithm)
    if (known !== undefined || !('bytes' in this.#artifact)) return known
    const digest = this.#crypto.hash(algorithm, this.#artifact.bytes)
    this.#digests.set(algorithm, digest)
    return digest
  }

  /** Throws VERIFY_DIGEST_ALGORITHM when no digest of this algorithm was given. */
  digest(algorithm: HashAlgorithm): Uint8Array {
    const digest = this.optional(algorithm)
    if (digest === undefined)
      throw new VerifyError('VERIFY_DIGEST_ALGORITHM', `the signature is over a ${algorithm} digest`, {
        check: 'artifact digest',
        expected: algorithm,
        found: [...this.#digests.keys()].join(' and ') || 'nothing',
      })
    return digest
  }

  /** True when the signature is by the key over the artifact. */
  isSignedBy(key: PublicKey, details: KeyDetails, signature: Uint8Array): boolean {
    const artifact = this.#artifact
    const verifyBytes = (scheme: SignatureScheme): boolean =>
      'bytes' in artifact && this.#crypto.verify(key, scheme, artifact.bytes, signature)
    if (details.scheme.kind === 'ed25519') return verifyBytes(details.scheme)
    if ('bytes' in artifact && artifact.bytes.length < HASH_TWICE_BELOW_BYTES) return verifyBytes(details.scheme)
    return this.#crypto.verifyDigest(key, details.scheme, this.digest(details.hash), signature)
  }

  /** For results and messages: the digest asked for, or the first of those that were given. */
  describe(algorithm: HashAlgorithm): { algorithm: HashAlgorithm; digest: Uint8Array } {
    const digest = this.optional(algorithm)
    if (digest !== undefined) return { algorithm, digest }
    const [first] = this.#digests
    return { algorithm: first![0], digest: first![1] }
  }
}

export function digestText(algorithm: HashAlgorithm, digest: Uint8Array): string {
  return `${algorithm.replace('SHA2_', 'sha').toLowerCase()}:${hexEncode(digest)}`
}
