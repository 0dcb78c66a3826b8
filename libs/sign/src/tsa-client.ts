import { derInteger, derOctetString, derOid, derSequence, DER_NULL } from '@touchmark/encoding'
import type { CryptoPort } from '@touchmark/crypto'
import { SignError } from './errors.js'
import { excerpt, send, type HttpOptions } from './http.js'

const SHA256 = '2.16.840.1.101.3.4.2.1'

/** A TimeStampReq (RFC 3161 §2.4.1) over the SHA-256 of a message, with a nonce, asking for no certificates. */
export function timestampRequest(digest: Uint8Array, nonce: bigint): Uint8Array {
  const imprint = derSequence(derSequence(derOid(SHA256), DER_NULL), derOctetString(digest))
  return derSequence(derInteger(1), imprint, derInteger(nonce))
}

/**
 * Has the authority stamp the signature bytes. Resolves with the whole TimeStampResp in DER, as a bundle holds it.
 * Its contents are judged by the verifier before the bundle is written, not here. Throws SIGN_REQUEST_REFUSED and what {@link send} throws.
 */
export async function requestTimestamp(
  tsaUrl: string,
  signature: Uint8Array,
  options: { crypto: CryptoPort; nonce: bigint; http: HttpOptions },
): Promise<Uint8Array> {
  const body = timestampRequest(options.crypto.hash('SHA2_256', signature), options.nonce)
  const init = { method: 'POST', headers: { 'content-type': 'application/timestamp-query' }, body }
  const answer = await send('timestamp authority', tsaUrl, init, options.http)
  if (answer.status === 200 || answer.status === 201) return answer.body
  throw new SignError('SIGN_REQUEST_REFUSED', `the timestamp authority refused the request (${answer.status})`, {
    found: excerpt(answer.body),
  })
}
