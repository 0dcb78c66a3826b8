import type { CryptoPort, HashAlgorithm, PublicKey, SignatureScheme, Signer } from '@touchmark/crypto'
import { base64Decode, base64Encode, equalBytes, utf8Encode } from '@touchmark/encoding'
import { HASH_BYTES } from '@touchmark/merkle'
import { TlogError } from './errors.js'
import { keyNameOf, schemeOfLog } from './log-id.js'
import { parseSignedNote, signNote, type SignedNote } from './signed-note.js'

/** What a log commits to (C2SP tlog-checkpoint): the text of a signed note. */
export interface Checkpoint {
  readonly origin: string
  readonly size: bigint
  /** 32 bytes. */
  readonly root: Uint8Array
  /** Lines after the root; each not empty. The logs we write have none. */
  readonly extensions: readonly string[]
}

/** Whose checkpoint is expected. */
export interface CheckpointAuthority {
  /** The first line. Left out where only the key is known: a v1 log's tree id is not in the trusted root. */
  readonly origin?: string
  /** The name in the signature line; left out, it follows from the first line: see {@link keyNameOf}. */
  readonly keyName?: string
  readonly key: PublicKey
  /** 32 bytes; the first 4 are the key id in the note. */
  readonly logId: Uint8Array
}

const MAX_SIZE = 1n << 63n
const SIZE = /^(?:0|[1-9][0-9]{0,18})$/

/** Writes the text that is signed: origin, size, root, extensions, one line each. Throws TLOG_CHECKPOINT_INVALID. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = `${[origin, size.toString(), base64Encode(root), ...extensions].join('\n')}\n`
  const read = parseCheckpoint(text)
  // A newline in any line makes one line more.
  if (read.extensions.length !== extensions.length) throw invalid('a line has a newline in it')
  return text
}

/** Reads the text of a checkpoint (log-v2.md §7). Throws TLOG_CHECKPOINT_INVALID. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw invalid('it does not end with a newline')
  const lines = text.slice(0, -1).split('\n')
  if (lines.length < 3) throw invalid('it has fewer than three lines')
  const [origin, sizeText, rootText, ...extensions] = lines as [string, string, string, ...string[]]
  // One empty line is the end of the text for every reader: a second would hide lines from some of them.
  if (lines.includes('')) throw invalid('it has an empty line')
  if (!origin.isWellFormed()) throw invalid('its origin is not valid text')
  if (!SIZE.test(sizeText)) throw invalid('its size is not a decimal number')
  const size = BigInt(sizeText)
  if (size >= MAX_SIZE) throw invalid('its size is too large')
  return { origin, size, root: parseRoot(rootText), extensions }
}

/**
 * Signs a checkpoint as the log does (log-v2.md §7; log-v1.md §5 where the origin ends in ` - <tree id>`). Returns the signed note.
 * Throws TLOG_KEY_UNSUPPORTED when the signer signs with another hash than readers of this kind of log expect.
 */
export async function signCheckpoint(checkpoint: Checkpoint, logId: Uint8Array, signer: Signer): Promise<string> {
  const scheme = schemeOfLog(signer.publicKey, checkpoint.origin)
  if (!sameScheme(scheme, signer.scheme)) {
    throw new TlogError(
      'TLOG_KEY_UNSUPPORTED',
      'the log key signs with another hash than readers of its checkpoints expect',
    )
  }
  return signNote(formatCheckpoint(checkpoint), keyNameOf(checkpoint.origin), logId, signer)
}

/**
 * Verifies a log's checkpoint: the expected origin, and a signature line with the expected name and key id whose signature is right.
 * Other lines (cosignatures, keys to come) are left alone. Throws TLOG_NOTE_INVALID, TLOG_CHECKPOINT_INVALID, TLOG_CHECKPOINT_ORIGIN, TLOG_CHECKPOINT_SIGNATURE.
 */
export function verifyCheckpoint(note: string, authority: CheckpointAuthority, crypto: CryptoPort): Checkpoint {
  const parsed = parseSignedNote(note)
  const checkpoint = parseCheckpoint(parsed.text)
  if (authority.origin !== undefined && checkpoint.origin !== authority.origin) {
    throw new TlogError('TLOG_CHECKPOINT_ORIGIN', 'the checkpoint is of another log', {
      check: 'checkpoint origin',
      expected: authority.origin,
      found: checkpoint.origin,
    })
  }
  verifySignature(parsed, authority, checkpoint.origin, crypto)
  return checkpoint
}

function verifySignature(note: SignedNote, authority: CheckpointAuthority, origin: string, crypto: CryptoPort): void {
  const name = authority.keyName ?? keyNameOf(origin)
  const keyId = authority.logId.subarray(0, 4)
  const candidates = note.signatures.filter((line) => line.name === name && equalBytes(line.keyId, keyId))
  if (candidates.length === 0) {
    throw new TlogError('TLOG_CHECKPOINT_SIGNATURE', 'the checkpoint is not signed with the key of this log', {
      check: 'checkpoint signature',
      expected: `a signature by ${name}`,
      found: [...new Set(note.signatures.map((line) => line.name))].join(', '),
    })
  }
  const scheme = schemeOfLog(authority.key, origin)
  const message = utf8Encode(note.text)
  if (!candidates.some((line) => crypto.verify(authority.key, scheme, message, line.signature))) {
    throw new TlogError('TLOG_CHECKPOINT_SIGNATURE', 'the signature of the checkpoint is wrong', {
      check: 'checkpoint signature',
      expected: `a signature by the key of ${name}`,
      found: 'one that does not verify',
    })
  }
}

function parseRoot(text: string): Uint8Array {
  let root: Uint8Array
  try {
    root = base64Decode(text)
  } catch (cause) {
    throw new TlogError('TLOG_CHECKPOINT_INVALID', 'not a checkpoint: its root is not base64', { cause })
  }
  if (root.length !== HASH_BYTES) throw invalid(`its root has ${root.length} bytes, not ${HASH_BYTES}`)
  return root
}

function sameScheme(a: SignatureScheme, b: SignatureScheme): boolean {
  const hashOf = (scheme: { readonly kind: string; readonly hash?: HashAlgorithm }) => scheme.hash
  return a.kind === b.kind && hashOf(a) === hashOf(b)
}

function invalid(why: string): TlogError {
  return new TlogError('TLOG_CHECKPOINT_INVALID', `not a checkpoint: ${why}`)
}
