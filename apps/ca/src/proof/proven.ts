import type { CryptoPort, PublicKey } from '@touchmark/crypto'
import type { Principal } from '@touchmark/identity'
import type { Authenticated, UsedToken } from '../identity/token-verifier.js'
import { readRequestedCsr } from './requested-csr.js'
import { checkProof, readRequestedKey } from './requested-key.js'

/** How a request proves that its sender holds the private key. */
export type ProofRequest =
  | { readonly kind: 'csr'; readonly pem: Uint8Array }
  | { readonly kind: 'key'; readonly key: Uint8Array; readonly proof: Uint8Array }

const MADE_HERE = Symbol('proven')

/** Somebody authenticated who holds the private key of a strong public key. Only {@link prove} makes one; only one of these is issued to. */
export class Proven {
  readonly publicKey: PublicKey
  /** True when the key signed the name, and so agreed to be this person's; a CSR is everybody's who has it. */
  readonly bound: boolean
  readonly #authenticated: Authenticated

  constructor(key: typeof MADE_HERE, authenticated: Authenticated, publicKey: PublicKey, bound: boolean) {
    if (key !== MADE_HERE) throw new TypeError('only prove() makes this')
    this.#authenticated = authenticated
    this.publicKey = publicKey
    this.bound = bound
  }

  get token(): UsedToken {
    return this.#authenticated.token
  }

  /** Throws IDENTITY_SUBJECT_INVALID. */
  principal(): Principal {
    return this.#authenticated.principal()
  }
}

/**
 * Checks the key, then the proof (ca.md §3, §4). Throws CA_CSR_UNPARSABLE, CA_KEY_UNPARSABLE, CA_KEY_INSECURE, CA_PROOF_INVALID or
 * CA_ALGORITHM_REFUSED.
 */
export function prove(authenticated: Authenticated, request: ProofRequest, crypto: CryptoPort): Proven {
  if (request.kind === 'csr') return new Proven(MADE_HERE, authenticated, readRequestedCsr(request.pem, crypto), false)
  const key = readRequestedKey(request.key)
  checkProof(key, authenticated.name, request.proof, crypto)
  return new Proven(MADE_HERE, authenticated, key, true)
}
