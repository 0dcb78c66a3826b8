import type { Curve, HashAlgorithm, Signer } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode, canonicalJson, utf8Encode } from '@touchmark/encoding'
import { LedgerError } from '../errors.js'
import type { LogKind, NewEntry } from '../types.js'

const BY_CURVE: Readonly<Record<Curve, { keyDetails: string; hash: HashAlgorithm }>> = {
  'P-256': { keyDetails: 'PKIX_ECDSA_P256_SHA_256', hash: 'SHA2_256' },
  'P-384': { keyDetails: 'PKIX_ECDSA_P384_SHA_384', hash: 'SHA2_384' },
  'P-521': { keyDetails: 'PKIX_ECDSA_P521_SHA_512', hash: 'SHA2_512' },
}

/**
 * The first entry of a tree (invariant 9): without it the first caller's proof would be empty, which some clients cannot hold.
 * A signature-v2 log makes its own: the tree's key signs its own SPKI. Other trees are given theirs. Throws LEDGER_GENESIS_MISSING.
 */
export async function genesisEntry(kind: LogKind, signer: Signer, given: NewEntry | undefined): Promise<NewEntry> {
  if (given) return given
  if (kind !== 'signature-v2' || signer.publicKey.type.kind !== 'ecdsa') {
    throw new LedgerError('LEDGER_GENESIS_MISSING', 'a new tree of this kind and key must be given its first entry')
  }
  const { keyDetails, hash } = BY_CURVE[signer.publicKey.type.curve]
  const { spki } = signer.publicKey
  const body = canonicalJson({
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: hash, digest: base64Encode(nodeCrypto.hash(hash, spki)) },
        signature: {
          content: base64Encode(await signer.sign(spki)),
          verifier: { keyDetails, publicKey: { rawBytes: base64Encode(spki) } },
        },
      },
    },
  })
  return { body: utf8Encode(body) }
}
