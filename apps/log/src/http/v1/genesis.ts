import type { CryptoPort, Signer } from '@touchmark/crypto'
import { base64Encode, hexEncode, pemEncode, utf8Encode } from '@touchmark/encoding'
import { canonicaliseV1, encodeV1Extra } from '@touchmark/entry'
import type { NewEntry } from '@touchmark/ledger'

/**
 * The first entry of a tree of API v1: the log's key signs itself, so that no caller's entry has an empty proof. `at` becomes its integratedTime.
 * The key must be ECDSA P-256, which is what every client reads (log-v1.md §4); throws ENTRY_V1_INVALID otherwise.
 */
export async function v1Genesis(signer: Signer, at: Date, crypto: CryptoPort): Promise<NewEntry> {
  const { spki } = signer.publicKey
  const spec = {
    data: { hash: { algorithm: 'sha256', value: hexEncode(crypto.hash('SHA2_256', spki)) } },
    signature: {
      content: base64Encode(await signer.sign(spki)),
      publicKey: { content: base64Encode(utf8Encode(pemEncode('PUBLIC KEY', spki))) },
    },
  }
  const { body } = canonicaliseV1({ kind: 'hashedrekord', version: '0.0.1', spec }, 'submit', crypto)
  return { body, extra: encodeV1Extra({ integratedTime: BigInt(Math.floor(at.getTime() / 1000)) }) }
}
