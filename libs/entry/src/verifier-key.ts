import {
  ecdsaSignatureToDer,
  keyDetailsByNumber,
  parsePublicKeyDer,
  type CryptoPort,
  type KeyDetails,
  type PublicKey,
  type SignatureScheme,
} from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { parseCertificate } from '@touchmark/x509'
import type { EntryVerifier } from './body.js'
import type { RequestVerifier } from './request.js'

/** A verifier of a request whose key was parsed and fits its declared algorithm. No signature has been checked with it yet. */
export interface ParsedVerifier {
  readonly stored: EntryVerifier
  readonly key: PublicKey
  readonly details: KeyDetails
}

/** Says why a request is not valid; the caller puts it under the code of its kind. */
export class InvalidRequest extends Error {}

function parseKey(verifier: RequestVerifier): { key: PublicKey; material: object } {
  const certificate = verifier.x509Certificate?.rawBytes
  if (certificate !== undefined) {
    return { key: parseCertificate(certificate).publicKey, material: { x509Certificate: certificate } }
  }
  const spki = verifier.publicKey?.rawBytes
  if (spki !== undefined) return { key: parsePublicKeyDer(spki), material: { publicKey: spki } }
  throw new InvalidRequest('the verifier has neither a public key nor a certificate')
}

/**
 * Checks a verifier by log-v2.md §3.1–3: DER and nothing behind it, keyDetails in the log's list and fitting the key. Dates, chain and signature of a
 * certificate are not looked at. `pureEd25519`: take PKIX_ED25519, which a digest cannot be checked with.
 * Throws InvalidRequest.
 */
export function parseVerifier(verifier: RequestVerifier | undefined, pureEd25519: boolean): ParsedVerifier {
  if (verifier === undefined) throw new InvalidRequest('the verifier is missing')
  // The declared algorithm is looked up first: it costs nothing, a key costs a point on a curve.
  const details = keyDetailsByNumber(verifier.keyDetails ?? 0)
  const taken = details?.acceptedByLogV2 === true || (pureEd25519 && details?.name === 'PKIX_ED25519')
  if (details === undefined || !taken) throw new InvalidRequest(`key details ${verifier.keyDetails ?? 0} are not taken`)
  let parsed
  try {
    parsed = parseKey(verifier)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new InvalidRequest(`the verifier does not parse: ${cause.message}`, { cause })
  }
  const { key, material } = parsed
  if (!details.fits(key.type)) throw new InvalidRequest(`the key is not one of ${details.name}`)
  const stored = { keyDetails: details.name, ...material } as EntryVerifier
  return { stored, key, details }
}

/**
 * Verifies over a digest. An ECDSA signature may also be r || s (log-v2.md §3.6), which is stored as sent.
 */
export function verifiesDigest(
  crypto: CryptoPort,
  key: PublicKey,
  scheme: SignatureScheme,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const der = key.type.kind === 'ecdsa' ? ecdsaSignatureToDer(signature) : signature
  return der !== undefined && crypto.verifyDigest(key, scheme, digest, der)
}

/** The same over a message. */
export function verifiesMessage(
  crypto: CryptoPort,
  key: PublicKey,
  scheme: SignatureScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const der = key.type.kind === 'ecdsa' ? ecdsaSignatureToDer(signature) : signature
  return der !== undefined && crypto.verify(key, scheme, message, der)
}
