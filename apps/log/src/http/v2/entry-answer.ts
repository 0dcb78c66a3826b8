import type { CanonicalEntry } from '@touchmark/entry'
import type { AppendedEntry } from '@touchmark/ledger'

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** The checkpoint of the last answer as JSON: all entries of a batch are under one. */
let lastNote: { readonly checkpoint: string; readonly json: Buffer } | undefined

function noteJson(checkpoint: string): Buffer {
  if (lastNote?.checkpoint !== checkpoint) lastNote = { checkpoint, json: Buffer.from(JSON.stringify(checkpoint)) }
  return lastNote.json
}

/**
 * A TransparencyLogEntry as clients want it (log-v2.md §5): members in this order and no others, int64 as strings, `inclusionPromise` null.
 * `logIdBase64` is the 32-byte log id. Written piece by piece, since nothing in it but the checkpoint needs an escape or is not ASCII.
 */
export function entryAnswer(entry: CanonicalEntry, appended: AppendedEntry, logIdBase64: string): Buffer {
  const { index, proof, body } = appended
  const logIndex = index.toString()
  const hashes = proof.hashes.length === 0 ? '' : `"${proof.hashes.map(base64).join('","')}"`
  const head =
    `{"logIndex":"${logIndex}","logId":{"keyId":"${logIdBase64}"},"kindVersion":{"kind":"${entry.kind}","version":"${entry.version}"},` +
    `"integratedTime":"0","inclusionPromise":null,"inclusionProof":{"logIndex":"${logIndex}","rootHash":"${base64(proof.root)}",` +
    `"treeSize":"${proof.size}","hashes":[${hashes}],"checkpoint":{"envelope":`
  const note = noteJson(proof.checkpoint)
  const tail = `}},"canonicalizedBody":"${base64(body)}"}`
  const answer = Buffer.allocUnsafeSlow(head.length + note.length + tail.length)
  answer.write(head, 0, 'latin1')
  note.copy(answer, head.length)
  answer.write(tail, head.length + note.length, 'latin1')
  return answer
}
