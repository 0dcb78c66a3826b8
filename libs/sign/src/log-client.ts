import type { TransparencyLogEntry } from '@touchmark/bundle'
import type { PublicKey } from '@touchmark/crypto'
import { defaultKeyDetails } from '@touchmark/crypto'
import { base64Encode, decodeProtoJson, type ProtoSchema } from '@touchmark/encoding'
import { SignError } from './errors.js'
import { excerpt, NOT_THE_SERVICE, refusedHint, send, serviceUrl, type HttpOptions } from './http.js'

const CHECKPOINT: ProtoSchema = { name: 'dev.sigstore.rekor.v1.Checkpoint', fields: { envelope: { kind: 'string' } } }
const PROOF: ProtoSchema = {
  name: 'dev.sigstore.rekor.v1.InclusionProof',
  fields: {
    logIndex: { kind: 'int64' },
    rootHash: { kind: 'bytes' },
    treeSize: { kind: 'int64' },
    hashes: { kind: 'repeated', of: { kind: 'bytes' } },
    checkpoint: { kind: 'message', of: CHECKPOINT },
  },
}
const ENTRY: ProtoSchema = {
  name: 'dev.sigstore.rekor.v1.TransparencyLogEntry',
  fields: {
    logIndex: { kind: 'int64' },
    logId: { kind: 'message', of: { name: 'dev.sigstore.common.v1.LogId', fields: { keyId: { kind: 'bytes' } } } },
    kindVersion: {
      kind: 'message',
      of: {
        name: 'dev.sigstore.rekor.v1.KindVersion',
        fields: { kind: { kind: 'string' }, version: { kind: 'string' } },
      },
    },
    integratedTime: { kind: 'int64' },
    inclusionPromise: { kind: 'json' },
    inclusionProof: { kind: 'message', of: PROOF },
    canonicalizedBody: { kind: 'bytes' },
  },
}

/** What verifies the signature: the leaf certificate of a keyless signer, or a bare key. */
export type EntryVerifier = { readonly certificate: Uint8Array } | { readonly publicKey: Uint8Array }

/**
 * Records a signature over a digest (Rekor v2, hashedrekord 0.0.2; for an attestation the digest is that of its PAE).
 * The answer's proof is not judged here: the verifier does that before a bundle is written.
 * Throws SIGN_REQUEST_REFUSED, SIGN_SERVICE_ANSWER and what {@link send} throws.
 */
export async function recordSignature(
  logUrl: string,
  record: { digest: Uint8Array; signature: Uint8Array; key: PublicKey; verifier: EntryVerifier },
  http: HttpOptions,
): Promise<TransparencyLogEntry> {
  const material =
    'certificate' in record.verifier
      ? { x509Certificate: { rawBytes: base64Encode(record.verifier.certificate) } }
      : { publicKey: { rawBytes: base64Encode(record.verifier.publicKey) } }
  const request = {
    hashedRekordRequestV002: {
      digest: base64Encode(record.digest),
      signature: {
        content: base64Encode(record.signature),
        verifier: { ...material, keyDetails: defaultKeyDetails(record.key).name },
      },
    },
  }
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) }
  const answer = await send('transparency log', serviceUrl(logUrl, '/api/v2/log/entries'), init, http)
  if (answer.status !== 201 && answer.status !== 200) {
    throw new SignError('SIGN_REQUEST_REFUSED', `the transparency log refused the entry (${answer.status})`, {
      found: excerpt(answer.body),
      hint: refusedHint(answer.status),
    })
  }
  return parseEntryAnswer(answer.body)
}

interface EntryAnswer {
  logIndex?: bigint
  logId?: { keyId?: Uint8Array }
  kindVersion?: { kind?: string; version?: string }
  inclusionProof?: {
    logIndex?: bigint
    rootHash?: Uint8Array
    treeSize?: bigint
    hashes?: Uint8Array[]
    checkpoint?: { envelope?: string }
  }
  canonicalizedBody?: Uint8Array
}

/** Reads a TransparencyLogEntry as API v2 answers it. Throws SIGN_SERVICE_ANSWER. */
export function parseEntryAnswer(body: Uint8Array): TransparencyLogEntry {
  const bad = (cause?: unknown): SignError =>
    new SignError('SIGN_SERVICE_ANSWER', 'the transparency log did not answer with an entry and its proof', {
      cause,
      found: excerpt(body).slice(0, 100),
      hint: NOT_THE_SERVICE,
    })
  let answer: EntryAnswer
  try {
    answer = decodeProtoJson(body, ENTRY, { unknownFields: 'ignore' })
  } catch (cause) {
    throw bad(cause)
  }
  const { logIndex = 0n, logId, kindVersion, inclusionProof: proof, canonicalizedBody } = answer
  const checkpoint = proof?.checkpoint?.envelope
  if (
    !logId?.keyId ||
    !kindVersion?.kind ||
    !kindVersion.version ||
    !canonicalizedBody ||
    !proof?.rootHash ||
    !checkpoint ||
    // A v2 log has one index: a bundle with two would be read in two ways.
    logIndex < 0n ||
    logIndex !== (proof.logIndex ?? 0n) ||
    (proof.treeSize ?? 0n) <= logIndex
  )
    throw bad()
  return {
    logIndex,
    logId: logId.keyId,
    kindVersion: { kind: kindVersion.kind, version: kindVersion.version },
    inclusionProof: {
      logIndex,
      rootHash: proof.rootHash,
      treeSize: proof.treeSize ?? 0n,
      hashes: proof.hashes ?? [],
      checkpoint,
    },
    canonicalizedBody,
  }
}
