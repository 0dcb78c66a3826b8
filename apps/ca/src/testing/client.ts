import type { KeyType, Signer } from '@touchmark/crypto'
import { generateSigner } from '@touchmark/crypto/node'
import { context, derBitString, derElement, derInteger, derSequence, pemEncode, utf8Encode } from '@touchmark/encoding'
import { algorithmIdentifier } from '@touchmark/x509'
import type { Answer, TestCa } from './test-ca.js'

const P256: KeyType = { kind: 'ecdsa', curve: 'P-256' }
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** The four ways to ask for a certificate. */
export const ROUTES = ['v2 with a key', 'v2 with a CSR', 'v1 with a key', 'v1 with a CSR'] as const
export type Route = (typeof ROUTES)[number]

/** A certification request without subject and attributes, PEM. */
export async function makeCsr(signer: Signer): Promise<string> {
  const info = derSequence(derInteger(0), derSequence(), signer.publicKey.spki, derElement(context(0)))
  const signature = derBitString(await signer.sign(info))
  return pemEncode('CERTIFICATE REQUEST', derSequence(info, algorithmIdentifier(signer.scheme), signature))
}

export interface Wanted {
  readonly token: string
  /** What the proof signs; a CSR proves by itself. */
  readonly name: string
  readonly signer?: Signer
}

/** Headers and body of a request for a certificate. */
export async function makeRequest(
  route: Route,
  wanted: Wanted,
): Promise<{ path: string; headers: Record<string, string>; body: string }> {
  const signer = wanted.signer ?? generateSigner(P256)
  const key = pemEncode('PUBLIC KEY', signer.publicKey.spki)
  const proof = base64(await signer.sign(utf8Encode(wanted.name)))
  const csr = base64(utf8Encode(await makeCsr(signer)))
  if (route.startsWith('v1')) {
    const body = route.endsWith('CSR')
      ? { certificateSigningRequest: csr }
      : { publicKey: { content: base64(utf8Encode(key)) }, signedEmailAddress: proof }
    return {
      path: '/api/v1/signingCert',
      headers: { Authorization: `Bearer ${wanted.token}` },
      body: JSON.stringify(body),
    }
  }
  const proven = route.endsWith('CSR')
    ? { certificateSigningRequest: csr }
    : { publicKeyRequest: { publicKey: { content: key }, proofOfPossession: proof } }
  return {
    path: '/api/v2/signingCert',
    headers: {},
    body: JSON.stringify({ credentials: { oidcIdentityToken: wanted.token }, ...proven }),
  }
}

/** Asks for a certificate. */
export async function ask(ca: TestCa, route: Route, wanted: Wanted): Promise<Answer> {
  const { path, headers, body } = await makeRequest(route, wanted)
  return ca.request('POST', path, headers, body)
}

export const TOKEN_REFUSED = { code: 3, message: 'There was an error processing the identity token', details: [] }
export const PROOF_REFUSED = {
  code: 3,
  message: 'The signature supplied in the request could not be verified',
  details: [],
}
