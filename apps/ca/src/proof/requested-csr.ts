import { schemeOf, type CryptoPort, type PublicKey, type SignatureScheme } from '@touchmark/crypto'
import { utf8Decode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { parseCsr, X509Error, type Csr } from '@touchmark/x509'
import { CaError } from '../errors.js'
import { asKeyRefusal, checkRequestedKey } from './requested-key.js'

const GO_KEY_TYPES = { ecdsa: '*ecdsa.PublicKey', rsa: '*rsa.PublicKey', ed25519: 'ed25519.PublicKey' } as const
const GO_HASHES = { SHA2_256: 'SHA-256', SHA2_384: 'SHA-384', SHA2_512: 'SHA-512' } as const

/**
 * Reads a certificate signing request in PEM and answers its key, of which it proves possession by its own signature. Nothing else in it
 * counts. Throws CA_CSR_UNPARSABLE, CA_KEY_INSECURE, CA_PROOF_INVALID or CA_ALGORITHM_REFUSED, in this order of checks (ca.md §4).
 */
export function readRequestedCsr(pem: Uint8Array, crypto: CryptoPort): PublicKey {
  const csr = parse(pem)
  const key = keyOf(csr)
  checkRequestedKey(key)
  try {
    csr.verify(crypto)
  } catch (error) {
    if (!isCodedError(error)) throw error
    const known = error instanceof X509Error && error.code === 'X509_ALGORITHM_UNSUPPORTED'
    throw new CaError(known ? 'CA_ALGORITHM_REFUSED' : 'CA_PROOF_INVALID', error.message, { cause: error })
  }
  checkAlgorithm(key, csr.signatureAlgorithm.scheme)
  return key
}

function parse(pem: Uint8Array): Csr {
  try {
    // As text: a request in DER alone is refused.
    return parseCsr(utf8Decode(pem))
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new CaError('CA_CSR_UNPARSABLE', error.message, { cause: error })
  }
}

function keyOf(csr: Csr): PublicKey {
  try {
    return csr.publicKey
  } catch (error) {
    const refusal = asKeyRefusal(error)
    if (refusal.code === 'CA_KEY_INSECURE') throw refusal
    throw new CaError('CA_CSR_UNPARSABLE', refusal.message, { cause: error })
  }
}

/** The pairs of key and hash that the CA certifies are those that the key signs with elsewhere: one hash for each kind of key. */
function checkAlgorithm(key: PublicKey, scheme: SignatureScheme | undefined): void {
  const permitted = schemeOf(key)
  const hash = scheme !== undefined && 'hash' in scheme ? scheme.hash : undefined
  if (hash === ('hash' in permitted ? permitted.hash : undefined)) return
  const named = hash === undefined ? 'unknown hash value 0' : GO_HASHES[hash]
  throw new CaError('CA_ALGORITHM_REFUSED', `signing algorithm not permitted: ${GO_KEY_TYPES[key.type.kind]}, ${named}`)
}
