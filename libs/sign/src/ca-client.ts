import {
  base64Encode,
  equalBytes,
  parseJson,
  pemDecodeAll,
  pemEncode,
  utf8Encode,
  type JsonValue,
} from '@touchmark/encoding'
import type { Signer } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { parseCertificate } from '@touchmark/x509'
import { SignError } from './errors.js'
import { excerpt, NOT_THE_SERVICE, refusedHint, send, serviceUrl, type HttpOptions } from './http.js'
import { readTokenClaims } from './identity-token.js'

/** A key and the leaf certificate over it, as DER; who issued it is the verifier's to judge. */
export interface CertifiedKey {
  readonly signer: Signer
  readonly certificate: Uint8Array
}

/**
 * Exchanges an identity token for a short-lived certificate over a new key (Fulcio v2 `signingCert`, key and proof of possession). Each try has a key
 * of its own: a CA answers a token and a key once, and an answer that was lost may have been that one. The keys of other tries are forgotten.
 * Throws SIGN_TOKEN_*, SIGN_REQUEST_REFUSED, SIGN_SERVICE_ANSWER and what {@link send} throws.
 */
export async function requestCertificate(
  caUrl: string,
  token: string,
  makeKey: () => Signer | Promise<Signer>,
  http: HttpOptions,
): Promise<CertifiedKey> {
  const { principal } = readTokenClaims(token)
  let signer: Signer | undefined
  const init = async (): Promise<RequestInit> => {
    signer = await makeKey()
    return certificateRequest(token, signer, await signer.sign(utf8Encode(principal)))
  }
  const answer = await send('certificate authority', serviceUrl(caUrl, '/api/v2/signingCert'), init, http)
  if (answer.status !== 200) throw refused(answer.status, excerpt(answer.body))
  return { signer: signer!, certificate: certificateOver(signer!, readAnswer(answer.body)) }
}

function certificateRequest(token: string, signer: Signer, proof: Uint8Array): RequestInit {
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
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) }
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
    hint: refusedHint(status),
  })
}

function readAnswer(body: Uint8Array): Uint8Array {
  try {
    const signed = member(parseJson(body), 'signedCertificateEmbeddedSct')
    const certificates = member(member(signed, 'chain'), 'certificates')
    const first = Array.isArray(certificates) ? (certificates[0] as JsonValue | undefined) : undefined
    const block = typeof first === 'string' ? pemDecodeAll(first, 1)[0] : undefined
    if (block?.label === 'CERTIFICATE') return block.bytes
  } catch (cause) {
    throw asAnswerError(cause)
  }
  throw new SignError('SIGN_SERVICE_ANSWER', 'the certificate authority answered without a certificate', {
    expected: 'a chain of certificates, of which the first has its SCT embedded',
    found: excerpt(body).slice(0, 100),
    hint: NOT_THE_SERVICE,
  })
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, JsonValue>>)[name] : undefined
}

/** Another key's certificate would be of no use, and would go on record beside our signature: it is refused before anything is signed. */
function certificateOver(signer: Signer, der: Uint8Array): Uint8Array {
  try {
    if (equalBytes(parseCertificate(der).spki, signer.publicKey.spki)) return der
  } catch (cause) {
    throw asAnswerError(cause)
  }
  throw new SignError('SIGN_SERVICE_ANSWER', 'the certificate authority issued a certificate for another key', {
    hint: 'Try again; if it goes on, tell who runs the instance.',
  })
}

function asAnswerError(cause: unknown): unknown {
  if (!isCodedError(cause)) return cause
  const message = 'what the certificate authority answered cannot be read'
  return new SignError('SIGN_SERVICE_ANSWER', message, { cause, found: cause.message, hint: NOT_THE_SERVICE })
}
