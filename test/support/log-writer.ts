import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** An entry that the log answered for: what it may never take back. */
export interface Acknowledged {
  readonly index: bigint
  readonly leafHash: string
  readonly size: bigint
  readonly rootHash: string
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const VERIFIER = {
  publicKey: { rawBytes: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
  keyDetails: 'PKIX_ECDSA_P256_SHA_256',
}

/** The body of a fresh, right request. */
export function entryRequest(data: Buffer = randomBytes(32)): string {
  const digest = createHash('sha256').update(data).digest('base64')
  const content = sign('sha256', data, privateKey).toString('base64')
  return JSON.stringify({ hashedRekordRequestV002: { digest, signature: { content, verifier: VERIFIER } } })
}

interface Answer {
  logIndex: string
  canonicalizedBody: string
  inclusionProof: { treeSize: string; rootHash: string }
}

/** Leaf hash (hex) of a body that came in base64. */
export function leafHashOf(body: string): string {
  return createHash('sha256').update(Buffer.of(0)).update(Buffer.from(body, 'base64')).digest('hex')
}

/** Writes one entry. Resolves with what was acknowledged, or undefined when it was not (any failure of the server). */
export async function writeEntry(url: string, request = entryRequest()): Promise<Acknowledged | undefined> {
  try {
    const response = await fetch(`${url}/api/v2/log/entries`, {
      method: 'POST',
      body: request,
      signal: AbortSignal.timeout(20_000),
    })
    const text = await response.text()
    if (response.status !== 201) return undefined
    const answer = JSON.parse(text) as Answer
    const { treeSize, rootHash } = answer.inclusionProof
    return {
      index: BigInt(answer.logIndex),
      leafHash: leafHashOf(answer.canonicalizedBody),
      size: BigInt(treeSize),
      rootHash,
    }
  } catch {
    return undefined
  }
}
