import { base64Encode, parseJson, pemDecodeAll, pemEncode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import type { Signer } from '@touchmark/crypto'
import { SignError } from './errors.js'
import { excerpt, send, type HttpOptions } from './http.js'
import { readTokenClaims } from './identity-token.js'

/**
 * Exchanges an identity token for a short-lived certificate over the signer's key (Fulcio v2 `signingCert`, key and proof of possession).
 * Resolves with the leaf's DER. Throws SIGN_TOKEN_REFUSED, SIGN_REQUEST_REFUSED, SIGN_SERVICE_ANSWER and what {@link send} throws.
 */
export async function requestCertificate(
  caUrl: string,
  token: string,
  signer: Signer,
  http: HttpOptions,
): Promise<Uint8Array> {
  const { principal } = readTokenClaims(token)
  const proof = await signer.sign(utf8Encode(principal))
  const request = {
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: {
        algorithm: signer.publicKey.type.kind.toUpperCase(),
        content: pemEncode('PUBLIC KEY', signer.publicKey.spki),
      },
      proofOfPossession: base64Encode(proof),
    },
  }
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) }
  const answer = await send('certificate authority', `${caUrl}/api/v2/signingCert`, init, http)
  if (answer.status !== 200) throw refused(answer.status, excerpt(answer.body))
  return leafOf(parseAnswer(answer.body))
}

function refused(status: number, said: string): SignError {
  if (said.includes('identity token')) {
    return new SignError('SIGN_TOKEN_REFUSED', 'the certificate authority refused the identity token', {
      found: said,
      hint: 'The token may have expired, or its issuer or audience is not configured at this instance. Run `touchmark login` for a fresh one.',
    })
  }
  return new SignError('SIGN_REQUEST_REFUSED', `the certificate authority refused the request (${status})`, {
    found: said,
  })
}

function parseAnswer(body: Uint8Array): JsonValue {
  try {
    return parseJson(body)
  } catch (cause) {
    throw new SignError('SIGN_SERVICE_ANSWER', 'the certificate authority did not answer with JSON', { cause })
  }
}

function leafOf(answer: JsonValue): Uint8Array {
  const bad = (): never => {
    throw new SignError('SIGN_SERVICE_ANSWER', 'the certificate authority answered without a certificate')
  }
  const record = (value: JsonValue | undefined): Readonly<Record<string, JsonValue>> =>
    value !== undefined && value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Readonly<Record<string, JsonValue>>)
      : bad()
  const signed = record(record(answer)['signedCertificateEmbeddedSct'])
  const certificates = record(signed['chain'])['certificates']
  const first = Array.isArray(certificates) ? (certificates[0] as JsonValue) : undefined
  if (typeof first !== 'string') return bad()
  return pemDecodeAll(first, 1)[0]?.bytes ?? bad()
}
