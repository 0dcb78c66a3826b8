import { derInteger, equalBytes } from '@touchmark/encoding'
import type { CryptoPort } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { encodeTimestampRequest, parseTimestampResponse, parseTstInfo, type TstInfo } from '@touchmark/timestamp'
import { SignError } from './errors.js'
import { excerpt, NOT_THE_SERVICE, refusedHint, send, type HttpOptions } from './http.js'

/**
 * Has the authority stamp the SHA-256 of the signature bytes, asking for no certificates (RFC 3161 §2.4.1). Resolves with the whole TimeStampResp in DER,
 * as a bundle holds it: a token over these bytes with our nonce (§2.2), whose signature and time are the verifier's to judge.
 * Throws SIGN_REQUEST_REFUSED, SIGN_SERVICE_ANSWER and what {@link send} throws.
 */
export async function requestTimestamp(
  tsaUrl: string,
  signature: Uint8Array,
  options: { crypto: CryptoPort; nonce: bigint; http: HttpOptions },
): Promise<Uint8Array> {
  const { crypto, nonce, http } = options
  const digest = crypto.hash('SHA2_256', signature)
  const body = encodeTimestampRequest({ hashAlgorithm: 'SHA2_256', digest, nonce })
  const init = { method: 'POST', headers: { 'content-type': 'application/timestamp-query' }, body }
  const answer = await send('timestamp authority', tsaUrl, init, http)
  if (answer.status !== 200 && answer.status !== 201) {
    throw new SignError('SIGN_REQUEST_REFUSED', `the timestamp authority refused the request (${answer.status})`, {
      found: excerpt(answer.body),
      hint: refusedHint(answer.status),
    })
  }
  const info = readAnswer(answer.body)
  if (info.hashAlgorithm !== 'SHA2_256' || !equalBytes(info.digest, digest)) throw other('over other bytes')
  // The token holds the content octets; header and length of a nonce of eight bytes are one byte each.
  if (info.nonce === undefined || !equalBytes(info.nonce, derInteger(nonce).subarray(2)))
    throw other('for another request')
  return answer.body
}

function readAnswer(body: Uint8Array): TstInfo {
  let status: number
  try {
    const response = parseTimestampResponse(body)
    status = response.status
    if (status === 0 && response.token !== undefined) return parseTstInfo(response.token.tstInfoBytes)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const message = 'the timestamp authority did not answer with a timestamp'
    throw new SignError('SIGN_SERVICE_ANSWER', message, { cause, found: cause.message, hint: NOT_THE_SERVICE })
  }
  throw new SignError('SIGN_SERVICE_ANSWER', 'the timestamp authority granted no timestamp', {
    expected: 'status 0 and a token',
    found: `status ${status}`,
    hint: NOT_THE_SERVICE,
  })
}

function other(what: string): SignError {
  return new SignError('SIGN_SERVICE_ANSWER', `the timestamp authority answered with a timestamp ${what}`, {
    hint: 'Something between here and the authority may hold old answers back. Try again.',
  })
}
