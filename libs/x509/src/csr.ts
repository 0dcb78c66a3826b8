import { context, DerReader, EncodingError, pemDecodeAll, TAG } from '@touchmark/encoding'
import { parsePublicKeyDer } from '@touchmark/crypto'
import type { CryptoPort, PublicKey } from '@touchmark/crypto'
import { schemeFitsKey, signatureAlgorithm } from './algorithms.js'
import type { SignatureAlgorithm } from './algorithms.js'
import { X509Error } from './errors.js'
import { readName } from './names.js'

/** A certification request (RFC 2986). Only its key and its self-signature are of use to a CA; the rest is structure. */
export interface Csr {
  readonly der: Uint8Array
  readonly spki: Uint8Array
  /** Parsed at first use; throws CRYPTO_KEY_*. */
  readonly publicKey: PublicKey
  readonly signatureAlgorithm: SignatureAlgorithm
  /**
   * Checks that the request's key made its signature. Throws X509_ALGORITHM_UNSUPPORTED for an algorithm that is known
   * and not taken (`name` says which), X509_CSR_SIGNATURE otherwise.
   */
  verify(crypto: CryptoPort): void
}

const MAX_CSR_BYTES = 65_536
const PEM_LABELS = new Set(['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'])
const ATTRIBUTES = context(0)

class ParsedCsr implements Csr {
  readonly der: Uint8Array
  readonly spki: Uint8Array
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly #info: Uint8Array
  readonly #signature: Uint8Array
  #publicKey: PublicKey | undefined

  constructor(der: Uint8Array) {
    const outer = new DerReader(der)
    const reader = outer.sequence()
    outer.end()
    const info = reader.element(TAG.sequence)
    const algorithm = reader.element(TAG.sequence)
    this.#signature = reader.bitString()
    reader.end()
    this.der = der
    this.#info = info.bytes
    this.signatureAlgorithm = signatureAlgorithm(algorithm.bytes)
    const fields = new DerReader(info.content)
    const version = fields.integerBytes()
    if (version.length !== 1 || version[0] !== 0) throw new EncodingError('DER_INVALID', 'the version is not 1')
    readName(fields)
    this.spki = fields.element(TAG.sequence).bytes
    const attributes = fields.enter(ATTRIBUTES)
    fields.end()
    while (!attributes.done) {
      const attribute = attributes.sequence()
      attribute.element(TAG.oid)
      attribute.element(TAG.set)
      attribute.end()
    }
  }

  get publicKey(): PublicKey {
    return (this.#publicKey ??= parsePublicKeyDer(this.spki))
  }

  verify(crypto: CryptoPort): void {
    const { scheme, name } = this.signatureAlgorithm
    if (scheme === undefined && name !== undefined)
      throw new X509Error('X509_ALGORITHM_UNSUPPORTED', `unrecognized signature algorithm: ${name}`)
    const key = this.publicKey
    const fits = scheme !== undefined && schemeFitsKey(scheme, key)
    if (!fits || !crypto.verify(key, scheme, this.#info, this.#signature))
      throw new X509Error('X509_CSR_SIGNATURE', "the request's signature was not made by its key")
  }
}

function refuse(message: string, cause?: unknown): never {
  throw new X509Error('X509_CSR_INVALID', `the certification request is malformed: ${message}`, { cause })
}

/**
 * Reads a certification request: a PEM text (`CERTIFICATE REQUEST` or `NEW CERTIFICATE REQUEST`, first block) or DER bytes
 * that it fills. Throws X509_CSR_INVALID.
 */
export function parseCsr(input: string | Uint8Array): Csr {
  // A PEM text is a third longer than its bytes; the limit is read before anything is decoded.
  if (input.length > (typeof input === 'string' ? 2 * MAX_CSR_BYTES : MAX_CSR_BYTES)) refuse('it is too large')
  try {
    if (typeof input !== 'string') return new ParsedCsr(input)
    const block = pemDecodeAll(input)[0]
    if (block === undefined || !PEM_LABELS.has(block.label)) refuse('there is no CERTIFICATE REQUEST block first')
    return new ParsedCsr(block.bytes)
  } catch (error) {
    if (error instanceof EncodingError) refuse(error.message, error)
    throw error
  }
}
