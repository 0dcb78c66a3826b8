import { parsePublicKeyDer, type PublicKey } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { equalBytes, pemDecodeAll, utf8Decode } from '@touchmark/encoding'
import {
  keyNameOf,
  logIdOf,
  parseCheckpoint,
  parseSignedNote,
  verifyCheckpoint,
  type Checkpoint,
} from '@touchmark/tlog'
import type { TrustedRoot } from '@touchmark/trust'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'

/** A key that may have signed a log's checkpoint, and the origins it may have signed for; none: any. */
export interface TrustedKey {
  readonly key: PublicKey
  /** Host name and, for a log that has a path of its own, host name and path. */
  readonly origins: readonly string[]
}

export interface VerifiedHead {
  readonly checkpoint: Checkpoint
  readonly note: string
  readonly key: PublicKey
  readonly logId: Uint8Array
}

/** The logs' keys of a trusted root: signature logs and certificate logs. */
export function keysOfRoot({ tlogs, ctlogs }: TrustedRoot): TrustedKey[] {
  return [...tlogs, ...ctlogs].map(({ baseUrl, publicKey }) => {
    const { hostname, pathname } = new URL(baseUrl)
    const path = pathname.replace(/\/+$/, '')
    return { key: parsePublicKeyDer(publicKey.rawBytes), origins: path === '' ? [hostname] : [`${hostname}${path}`] }
  })
}

/** The key in a PEM file. Throws CLI_FILE_UNREADABLE, CLI_USAGE. */
export async function keyOfFile(path: string): Promise<TrustedKey> {
  const text = utf8Decode(await readInput(path, 64 << 10))
  const blocks = pemDecodeAll(text)
  if (blocks.length !== 1 || blocks[0]!.label !== 'PUBLIC KEY') {
    throw new CliError('CLI_USAGE', `${path} does not hold one public key in PEM (PUBLIC KEY)`)
  }
  return { key: parsePublicKeyDer(blocks[0]!.bytes), origins: [] }
}

/**
 * Verifies a checkpoint with those of the keys that may sign for its origin. `origin`: the one that is expected, where it is known.
 * Throws TLOG_NOTE_INVALID, TLOG_CHECKPOINT_INVALID, TLOG_CHECKPOINT_ORIGIN, TLOG_CHECKPOINT_SIGNATURE.
 */
export function verifyTrustedHead(note: string, keys: readonly TrustedKey[], origin?: string): VerifiedHead {
  const parsed = parseSignedNote(note)
  const named = parseCheckpoint(parsed.text).origin
  const fits = keys.filter(({ origins }) => origins.length === 0 || origins.includes(keyNameOf(named)))
  const signers = (fits.length > 0 ? fits : keys).map(({ key, origins }) => ({
    key,
    // A key of this root that does not sign for this origin: the checkpoint is refused in the words of that.
    origin: origin ?? (fits.length > 0 || origins.length === 0 ? named : origins[0]!),
    logId: logIdOf(key, named),
  }))
  const byId = signers.find(({ logId }) =>
    parsed.signatures.some(({ keyId }) => equalBytes(keyId, logId.subarray(0, 4))),
  )
  const signer = byId ?? signers[0]
  if (signer === undefined) throw new CliError('CLI_TRUST_UNKNOWN', 'there is no key to verify the checkpoint with')
  return { checkpoint: verifyCheckpoint(note, signer, nodeCrypto), note, key: signer.key, logId: signer.logId }
}
