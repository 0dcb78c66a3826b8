import { PUBLIC_KEY_DETAILS } from '@touchmark/crypto'
import type { ProtoField, ProtoSchema } from '@touchmark/encoding'

/** The members of `dev.sigstore.common.v1.HashAlgorithm` that an entry of these kinds can name. */
export const ENTRY_HASHES = { SHA2_256: 1, SHA2_384: 2, SHA2_512: 3 } as const

const bytes: ProtoField = { kind: 'bytes' }
const string: ProtoField = { kind: 'string' }
const message = (of: ProtoSchema): ProtoField => ({ kind: 'message', of })
const repeated = (of: ProtoSchema): ProtoField => ({ kind: 'repeated', of: message(of) })

const verifier: ProtoSchema = {
  name: 'dev.sigstore.rekor.v2.Verifier',
  fields: {
    publicKey: message({ name: 'dev.sigstore.rekor.v2.PublicKey', fields: { rawBytes: bytes } }),
    x509Certificate: message({ name: 'dev.sigstore.common.v1.X509Certificate', fields: { rawBytes: bytes } }),
    keyDetails: { kind: 'enum', values: PUBLIC_KEY_DETAILS },
  },
  oneofs: { verifier: ['publicKey', 'x509Certificate'] },
}

const signature: ProtoSchema = {
  name: 'dev.sigstore.rekor.v2.Signature',
  fields: { content: bytes, verifier: message(verifier) },
}

const envelope: ProtoSchema = {
  name: 'io.intoto.Envelope',
  fields: {
    payload: bytes,
    payloadType: string,
    signatures: repeated({ name: 'io.intoto.Signature', fields: { sig: bytes, keyid: string } }),
  },
}

/** What `POST /api/v2/log/entries` takes (log-v2.md §2). */
export const createEntryRequest: ProtoSchema = {
  name: 'dev.sigstore.rekor.v2.CreateEntryRequest',
  fields: {
    hashedRekordRequestV002: message({
      name: 'dev.sigstore.rekor.v2.HashedRekordRequestV002',
      fields: { digest: bytes, signature: message(signature) },
    }),
    dsseRequestV002: message({
      name: 'dev.sigstore.rekor.v2.DSSERequestV002',
      fields: { envelope: message(envelope), verifiers: repeated(verifier) },
    }),
  },
  oneofs: { spec: ['hashedRekordRequestV002', 'dsseRequestV002'] },
}

const hashOutput: ProtoSchema = {
  name: 'dev.sigstore.common.v1.HashOutput',
  fields: { algorithm: { kind: 'enum', values: ENTRY_HASHES }, digest: bytes },
}

/** What a log stores (log-v2.md §4). */
export const entryMessage: ProtoSchema = {
  name: 'dev.sigstore.rekor.v2.Entry',
  fields: {
    apiVersion: string,
    kind: string,
    spec: message({
      name: 'dev.sigstore.rekor.v2.Spec',
      fields: {
        hashedRekordV002: message({
          name: 'dev.sigstore.rekor.v2.HashedRekordLogEntryV002',
          fields: { data: message(hashOutput), signature: message(signature) },
        }),
        dsseV002: message({
          name: 'dev.sigstore.rekor.v2.DSSELogEntryV002',
          fields: { payloadHash: message(hashOutput), signatures: repeated(signature) },
        }),
      },
      oneofs: { spec: ['hashedRekordV002', 'dsseV002'] },
    }),
  },
}
