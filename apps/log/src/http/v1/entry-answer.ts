import type { LeafData } from '@touchmark/ledger'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** 16 hexadecimal digits of the tree, 64 of the leaf hash (log-v1.md §2). */
export function entryIdOf(treeId: bigint, leafHash: Uint8Array): string {
  return treeId.toString(16).padStart(16, '0') + hex(leafHash)
}

/** An entry and its proof, before it is signed for. */
export interface ProvenEntry {
  readonly entryId: string
  readonly body: Uint8Array
  readonly attestation?: Uint8Array
  readonly integratedTime: bigint
  /** 64 hexadecimal digits. */
  readonly logIdHex: string
  /** Over all trees. */
  readonly virtualIndex: bigint
  /** In its own. */
  readonly index: LeafData['index']
  readonly proof: {
    readonly size: bigint
    readonly root: Uint8Array
    readonly hashes: readonly Uint8Array[]
    readonly checkpoint: string
  }
}

/**
 * What a signed entry timestamp is over (log-v1.md §4), and the same text as it stands at the front of the entry: RFC 8785 JSON of four members, none of
 * which needs an escape.
 */
export function promisedText({ body, integratedTime, logIdHex, virtualIndex }: ProvenEntry): string {
  return `"body":"${base64(body)}","integratedTime":${integratedTime},"logID":"${logIdHex}","logIndex":${virtualIndex}`
}

/** The entry object of log-v1.md §3: a map of one, without a newline. `promised` is {@link promisedText}, `set` its signature. */
export function entryJson(entry: ProvenEntry, promised: string, set: Uint8Array): string {
  const { entryId, attestation, index, proof } = entry
  const kept = attestation === undefined ? '' : `"attestation":{"data":"${base64(attestation)}"},`
  const hashes = proof.hashes.map((hash) => `"${hex(hash)}"`).join(',')
  return (
    `{"${entryId}":{${kept}${promised},"verification":{"inclusionProof":{"checkpoint":${JSON.stringify(proof.checkpoint)},` +
    `"hashes":[${hashes}],"logIndex":${index},"rootHash":"${hex(proof.root)}","treeSize":${proof.size}},` +
    `"signedEntryTimestamp":"${base64(set)}"}}}`
  )
}
