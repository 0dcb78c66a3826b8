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

/** What the signature is held against: the artifact itself, or its digest. */
export type Artifact =
  { readonly bytes: Uint8Array } | { readonly digest: Uint8Array; readonly algorithm: HashAlgorithm }

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
    const { digest, algorithm } = artifact
    if (digest.length !== DIGEST_BYTES[algorithm])
      throw new VerifyError('VERIFY_DIGEST_ALGORITHM', `the digest given is no ${algorithm} digest`, {
        check: 'artifact digest',
        expected: `${DIGEST_BYTES[algorithm]} bytes`,
        found: `${digest.length} bytes`,
      })
    this.#digests.set(algorithm, digest)
  }

  /** The digest, or undefined when another one was given. */
  optional(algorithm: HashAlgorithm): Uint8Array | undefined {
    const known = this.#digests.get(algorithm)
    if (known !== undefined || !('bytes' in this.#artifact)) return known
    const digest = this.#crypto.hash(algorithm, this.#artifact.bytes)
    this.#digests.set(algorithm, digest)
    return digest
  }

  /** Throws VERIFY_DIGEST_ALGORITHM when the digest given is of another algorithm. */
  digest(algorithm: HashAlgorithm): Uint8Array {
    const digest = this.optional(algorithm)
    if (digest === undefined)
      throw new VerifyError('VERIFY_DIGEST_ALGORITHM', `the signature is over a ${algorithm} digest`, {
        check: 'artifact digest',
        expected: algorithm,
        found: 'algorithm' in this.#artifact ? this.#artifact.algorithm : 'nothing',
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

  /** For results and messages: the digest that was given, or the one asked for. */
  describe(algorithm: HashAlgorithm): { algorithm: HashAlgorithm; digest: Uint8Array } {
    if ('digest' in this.#artifact) return { algorithm: this.#artifact.algorithm, digest: this.#artifact.digest }
    return { algorithm, digest: this.digest(algorithm) }
  }
}

export function digestText(algorithm: HashAlgorithm, digest: Uint8Array): string {
  return `${algorithm.replace('SHA2_', 'sha').toLowerCase()}:${hexEncode(digest)}`
}
