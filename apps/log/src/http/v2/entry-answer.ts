import type { CanonicalEntry } from '@touchmark/entry'
import type { AppendedEntry } from '@touchmark/ledger'

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/**
 * A TransparencyLogEntry as clients want it (log-v2.md §5): members in this order and no others, int64 as strings, `inclusionPromise` null.
 * `logIdBase64` is the 32-byte log id.
 */
export function entryAnswer(entry: CanonicalEntry, appended: AppendedEntry, logIdBase64: string): Buffer {
  const { index, proof } = appended
  const logIndex = index.toString()
  return Buffer.from(
    JSON.stringify({
      logIndex,
      logId: { keyId: logIdBase64 },
      kindVersion: { kind: entry.kind, version: entry.version },
      integratedTime: '0',
      inclusionPromise: null,
      inclusionProof: {
        logIndex,
        rootHash: base64(proof.root),
        treeSize: proof.size.toString(),
        hashes: proof.hashes.map(base64),
        checkpoint: { envelope: proof.checkpoint },
      },
      canonicalizedBody: base64(appended.body),
    }),
  )
}
