import { base64Encode } from '@touchmark/encoding'
import type { Bundle, InclusionProof, SignerMaterial, TransparencyLogEntry } from './types.js'

/**
 * Writes a bundle as every client reads it: compact, members in the order of contract/bundle-and-oci.md §1, standard base64, int64 as strings,
 * no `keyid` unless there is one. Both log indexes, tree size, root hash and `hashes` are always written (sigstore-python needs them, and refuses
 * the first entry of a tree without); `integratedTime` and the promise only when there are (Go and JS leave them out, Python takes that).
 * No newline at the end.
 */
export function encodeBundle(bundle: Bundle): string {
  const { content } = bundle
  return JSON.stringify({
    mediaType: bundle.mediaType,
    verificationMaterial: {
      ...signerJson(bundle.signer),
      tlogEntries: bundle.tlogEntries.map(entryJson),
      ...(bundle.timestamps.length === 0
        ? {}
        : {
            timestampVerificationData: {
              rfc3161Timestamps: bundle.timestamps.map((stamp) => ({ signedTimestamp: base64Encode(stamp) })),
            },
          }),
    },
    ...(content.kind === 'message'
      ? {
          messageSignature: {
            ...(content.message.messageDigest
              ? {
                  messageDigest: {
                    algorithm: content.message.messageDigest.algorithm,
                    digest: base64Encode(content.message.messageDigest.digest),
                  },
                }
              : {}),
            signature: base64Encode(content.message.signature),
          },
        }
      : {
          dsseEnvelope: {
            payload: base64Encode(content.envelope.payload),
            payloadType: content.envelope.payloadType,
            signatures: [
              {
                sig: base64Encode(content.envelope.signature.sig),
                ...(content.envelope.signature.keyid === '' ? {} : { keyid: content.envelope.signature.keyid }),
              },
            ],
          },
        }),
  })
}

function signerJson(signer: SignerMaterial): object {
  if (signer.kind === 'publicKey') return { publicKey: { hint: signer.hint } }
  if (signer.kind === 'certificate') return { certificate: { rawBytes: base64Encode(signer.certificate) } }
  return { x509CertificateChain: { certificates: signer.certificates.map((raw) => ({ rawBytes: base64Encode(raw) })) } }
}

function entryJson(entry: TransparencyLogEntry): object {
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: base64Encode(entry.logId) },
    kindVersion: { kind: entry.kindVersion.kind, version: entry.kindVersion.version },
    ...(entry.integratedTime === undefined ? {} : { integratedTime: String(entry.integratedTime) }),
    ...(entry.inclusionPromise
      ? { inclusionPromise: { signedEntryTimestamp: base64Encode(entry.inclusionPromise) } }
      : {}),
    ...(entry.inclusionProof ? { inclusionProof: proofJson(entry.inclusionProof) } : {}),
    canonicalizedBody: base64Encode(entry.canonicalizedBody),
  }
}

function proofJson(proof: InclusionProof): object {
  return {
    logIndex: String(proof.logIndex),
    rootHash: base64Encode(proof.rootHash),
    treeSize: String(proof.treeSize),
    hashes: proof.hashes.map(base64Encode),
    checkpoint: { envelope: proof.checkpoint },
  }
}
