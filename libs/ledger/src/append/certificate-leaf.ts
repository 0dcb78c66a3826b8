/** version, leaf type, timestamp, entry type: what every MerkleTreeLeaf begins with (RFC 6962 §3.4). */
const LEAF_HEADER_BYTES = 12
const MAX_ENTRY_TYPE = 1

/** True for bytes that begin like a MerkleTreeLeaf: version 0, timestamped entry, x509 or precert. */
export function isCertificateLeaf(body: Uint8Array): boolean {
  if (body.length <= LEAF_HEADER_BYTES || body[0] !== 0 || body[1] !== 0) return false
  return body[10] === 0 && body[11]! <= MAX_ENTRY_TYPE
}

/** The SCT's timestamp in a MerkleTreeLeaf, milliseconds since 1970. */
export function sctTimestamp(body: Uint8Array): bigint {
  return new DataView(body.buffer, body.byteOffset, body.byteLength).getBigUint64(2)
}
