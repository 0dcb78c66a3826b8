// The certificate log as an auditor reads it: RFC 6962 API, our own proof checker, and @peculiar/x509 for what lies in it.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { X509Certificate } from '@peculiar/x509'
import { leafHash, verifyConsistency, verifyInclusion } from '@touchmark/merkle'
import { parseMerkleTreeLeaf, parsePrecertChainEntry } from '@touchmark/x509'

const POISON = '1.3.6.1.4.1.11129.2.4.3'
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'))

async function get(stack, path) {
  const answer = await fetch(`${stack.url}/ct/v1/${path}`)
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
  return answer.json()
}

/** RFC 6962 §3.5: version 0, signature type 1, timestamp, size, root. */
function treeHeadText({ tree_size: size, timestamp, sha256_root_hash: root }) {
  const head = Buffer.alloc(18)
  head.writeUInt8(1, 1)
  head.writeBigUInt64BE(BigInt(timestamp), 2)
  head.writeBigUInt64BE(BigInt(size), 10)
  return Buffer.concat([head, Buffer.from(root, 'base64')])
}

/** Throws when a signature, a proof or an entry of the certificate log is not right. */
export async function auditCertificateLog(stack, trust) {
  const sth = await get(stack, 'get-sth')
  const key = createPublicKey({
    key: Buffer.from(trust.ctlogs[0].publicKey.rawBytes, 'base64'),
    format: 'der',
    type: 'spki',
  })
  // DigitallySigned: two octets of algorithm, two of length, then the signature.
  if (!verify('sha256', treeHeadText(sth), key, Buffer.from(sth.tree_head_signature, 'base64').subarray(4)))
    throw new Error('the tree head is not signed by the log')
  const [size, root] = [BigInt(sth.tree_size), bytes(sth.sha256_root_hash)]
  const { entries } = await get(stack, `get-entries?start=0&end=${sth.tree_size - 1}`)
  if (entries.length < 3) throw new Error(`the log has only ${entries.length} entries`)
  const issuer = new X509Certificate(bytes(trust.certificateAuthorities[0].certChain.certificates[0].rawBytes))
  const issuerKeyHash = createHash('sha256').update(Buffer.from(issuer.publicKey.rawData)).digest('hex')
  for (const [index, { leaf_input: leaf, extra_data: extra }] of entries.entries()) {
    const hash = leafHash(bytes(leaf))
    const query = `get-proof-by-hash?hash=${encodeURIComponent(Buffer.from(hash).toString('base64'))}&tree_size=${size}`
    const proof = await get(stack, query)
    verifyInclusion({ leafHash: hash, index: BigInt(proof.leaf_index), size, proof: proof.audit_path.map(bytes), root })
    if (proof.leaf_index !== index) throw new Error(`entry ${index} is proven at ${proof.leaf_index}`)
    const { entry } = parseMerkleTreeLeaf(bytes(leaf))
    if (entry.type !== 'precert') continue
    if (Buffer.from(entry.issuerKeyHash).toString('hex') !== issuerKeyHash)
      throw new Error(`entry ${index} names another issuer`)
    const precertificate = new X509Certificate(parsePrecertChainEntry(bytes(extra)).precertificate)
    if (precertificate.getExtension(POISON) === null) throw new Error(`precertificate ${index} has no poison`)
    if (!(await precertificate.verify({ publicKey: issuer.publicKey, signatureOnly: true })))
      throw new Error(`precertificate ${index} is not signed by the CA`)
  }
  const half = size / 2n
  const earlier = await get(stack, `get-sth-consistency?first=${half}&second=${size}`)
  const rootOfHalf = rootOf(entries.slice(0, Number(half)).map(({ leaf_input: leaf }) => leafHash(bytes(leaf))))
  verifyConsistency({
    firstSize: half,
    secondSize: size,
    firstRoot: rootOfHalf,
    secondRoot: root,
    proof: earlier.consistency.map(bytes),
  })
}

/** RFC 6962 §2.1, by the definition. */
function rootOf(hashes) {
  if (hashes.length === 1) return hashes[0]
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  const [left, right] = [rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split))]
  return new Uint8Array(createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest())
}
