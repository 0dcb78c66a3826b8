import { decodeProtoJson, utf8Encode, type ProtoSchema } from '@touchmark/encoding'
import { CaError } from '../errors.js'
import type { ProofRequest } from '../proof/proven.js'

/** Both versions: what is read is the first JSON value; four binary megabytes pass, a byte more does not. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024
const MAX_DEPTH = 10_000

const V2_REQUEST: ProtoSchema = {
  name: 'dev.sigstore.fulcio.v2.CreateSigningCertificateRequest',
  fields: {
    credentials: {
      kind: 'message',
      of: {
        name: 'dev.sigstore.fulcio.v2.Credentials',
        fields: { oidcIdentityToken: { kind: 'string' } },
        oneofs: { credentials: ['oidcIdentityToken'] },
      },
    },
    publicKeyRequest: {
      kind: 'message',
      of: {
        name: 'dev.sigstore.fulcio.v2.PublicKeyRequest',
        fields: {
          publicKey: {
            kind: 'message',
            of: {
              name: 'dev.sigstore.fulcio.v2.PublicKey',
              fields: {
                // The key decides; what a client calls it does not matter.
                algorithm: {
                  kind: 'enum',
                  values: { PUBLIC_KEY_ALGORITHM_UNSPECIFIED: 0, RSA_PSS: 1, ECDSA: 2, ED25519: 3 },
                },
                content: { kind: 'string' },
              },
            },
          },
          proofOfPossession: { kind: 'bytes' },
        },
      },
    },
    certificateSigningRequest: { kind: 'bytes' },
  },
  oneofs: { key: ['publicKeyRequest', 'certificateSigningRequest'] },
}

const V1_REQUEST: ProtoSchema = {
  name: 'dev.sigstore.fulcio.v1beta.CreateSigningCertificateRequest',
  fields: {
    publicKey: {
      kind: 'message',
      of: {
        name: 'dev.sigstore.fulcio.v1beta.PublicKey',
        fields: { algorithm: { kind: 'string' }, content: { kind: 'bytes' } },
      },
    },
    signedEmailAddress: { kind: 'bytes' },
    certificateSigningRequest: { kind: 'bytes' },
  },
}

interface V2Body {
  readonly credentials?: { readonly oidcIdentityToken?: string }
  readonly publicKeyRequest?: {
    readonly publicKey?: { readonly content?: string }
    readonly proofOfPossession?: Uint8Array
  }
  readonly certificateSigningRequest?: Uint8Array
}

interface V1Body {
  readonly publicKey?: { readonly content?: Uint8Array }
  readonly signedEmailAddress?: Uint8Array
  readonly certificateSigningRequest?: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** The token of an `Authorization` header: after exactly `Bearer `, or bare; white space around it is dropped. */
export function headerToken(authorization: string | undefined): string {
  const value = authorization ?? ''
  return (value.startsWith('Bearer ') ? value.slice('Bearer '.length) : value).trim()
}

/** A v2 request; its own token comes before the header's. Throws ENCODING_JSON with the parser's text. */
export function readV2Request(body: Uint8Array): { token: string; proof: ProofRequest } {
  const request = decodeProtoJson(body, V2_REQUEST, { unknownFields: 'ignore', maxDepth: MAX_DEPTH }) as V2Body
  const token = request.credentials?.oidcIdentityToken ?? ''
  const csr = request.certificateSigningRequest ?? NOTHING
  if (csr.length > 0) return { token, proof: { kind: 'csr', pem: csr } }
  const { publicKey, proofOfPossession } = request.publicKeyRequest ?? {}
  const key = utf8Encode(publicKey?.content ?? '')
  return { token, proof: { kind: 'key', key, proof: proofOfPossession ?? NOTHING } }
}

/** A v1 request; a CSR comes before a key. Throws ENCODING_JSON, and CA_KEY_UNPARSABLE when there is neither. */
export function readV1Request(body: Uint8Array): ProofRequest {
  const options = { unknownFields: 'ignore', snakeCase: false, maxDepth: MAX_DEPTH } as const
  const request = decodeProtoJson(body, V1_REQUEST, options) as V1Body
  const csr = request.certificateSigningRequest ?? NOTHING
  if (csr.length > 0) return { kind: 'csr', pem: csr }
  // Here alone the key is looked at before the token (ca.md §4).
  if (request.publicKey === undefined) throw new CaError('CA_KEY_UNPARSABLE', 'there is neither a key nor a CSR')
  return { kind: 'key', key: request.publicKey.content ?? NOTHING, proof: request.signedEmailAddress ?? NOTHING }
}
