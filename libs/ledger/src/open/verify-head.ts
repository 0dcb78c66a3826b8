import type { PublicKey, SignatureScheme } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { equalBytes } from '@touchmark/encoding'
import { verifyCheckpoint } from '@touchmark/tlog'
import { treeHeadBytes } from '../append/sign-head.js'
import { LedgerError } from '../errors.js'
import type { HeadAuthority } from '../guard/compare-heads.js'
import type { LogHead, LogKind } from '../types.js'

/** Bytes before the signature in a DigitallySigned: two algorithms and a length. */
const DIGITALLY_SIGNED_HEADER = 4
const TREE_HEAD_SCHEME: SignatureScheme = { kind: 'ecdsa', hash: 'SHA2_256' }

/** Whose head it must be. */
type HeadVerifier = HeadAuthority & { readonly kind: LogKind }

/** Checks that a stored head was signed by the tree's key over the size and root beside it. Throws LEDGER_CORRUPT. */
export function verifyHead(by: HeadVerifier, head: LogHead): void {
  const key = by.signer.publicKey
  let signed
  try {
    signed = verifyCheckpoint(head.note, { origin: by.origin, key, logId: by.logId }, nodeCrypto)
  } catch (cause) {
    throw new LedgerError('LEDGER_CORRUPT', 'the stored checkpoint is not one that this log signed', { cause })
  }
  if (signed.size !== head.size || !equalBytes(signed.root, head.root)) {
    throw new LedgerError('LEDGER_CORRUPT', 'the stored checkpoint is of another size or root than the row it is in', {
      expected: `size ${head.size}`,
      found: `size ${signed.size}`,
    })
  }
  if (by.kind === 'certificate') verifyTreeHead(key, head)
}

/** Checks the tree head of a certificate log (RFC 6962 §3.5). Throws LEDGER_CORRUPT. */
export function verifyTreeHead(key: PublicKey, head: LogHead): void {
  const { treeHead } = head
  const message = treeHead && treeHeadBytes(treeHead.timestamp, head.size, head.root)
  const signature = treeHead?.signature.subarray(DIGITALLY_SIGNED_HEADER)
  if (!message || !signature || !nodeCrypto.verify(key, TREE_HEAD_SCHEME, message, signature)) {
    throw new LedgerError('LEDGER_CORRUPT', 'the tree head is not one that this log signed')
  }
}
