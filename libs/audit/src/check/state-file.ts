import { createHash } from 'node:crypto'
import { equalBytes, hexDecode, hexEncode } from '@touchmark/encoding'
import { TILE_HEIGHT } from '@touchmark/tlog'
import { AuditError } from '../errors.js'
import type { CheckState } from './check-tree.js'
import type { Difference } from './difference.js'
import type { OpenTile } from './upper-edge.js'

/** What a check is about: a state of one is never gone on with in another. */
export interface CheckSubject {
  readonly origin: string
  /** 32 bytes: the key, and for some keys the origin. */
  readonly logId: Uint8Array
  /** `url` or `database`: they look at different things. */
  readonly how: string
}

/** A signed head of the log. */
export interface CheckedHead {
  readonly size: bigint
  readonly root: Uint8Array
}

const FORMAT = 'touchmark-fsck-1'
/** 1,000 differences of some hundred bytes, and eight tiles. */
export const MAX_STATE_BYTES = 4 << 20
const MAX_LEVELS = 8

interface StateFile {
  readonly format: string
  readonly subject: Record<string, string>
  readonly head: { readonly size: string; readonly root: string }
  readonly tiles: string
  readonly levels: readonly { readonly hashes: string; readonly stored: Readonly<Record<string, string>> }[]
  readonly bytes: string
  readonly tilesCompared: number
  readonly differences: readonly Record<string, unknown>[]
  readonly unlisted: number
}

/** Writes a state: JSON, and the SHA-256 of it in the last line, so that a file that was cut off or changed is not gone on from. */
export function encodeState(subject: CheckSubject, head: CheckedHead, state: CheckState): string {
  const file: StateFile = {
    format: FORMAT,
    subject: subjectText(subject),
    head: { size: head.size.toString(), root: hexEncode(head.root) },
    tiles: state.tiles.toString(),
    levels: state.levels.map(({ hashes, count, stored }) => ({
      hashes: hexEncode(hashes.subarray(0, count * 32)),
      stored: Object.fromEntries([...stored].map(([slot, hash]) => [slot, hexEncode(hash)])),
    })),
    bytes: state.bytes.toString(),
    tilesCompared: state.tilesCompared,
    differences: state.differences.map((difference) => ({ ...difference })),
    unlisted: state.unlisted,
  }
  const json = JSON.stringify(file, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  return `${json}\n${digestOf(json)}\n`
}

/**
 * Reads a state of this subject, and the head that was being checked. What was rebuilt so far is the left side of every later tree too, so the check goes
 * on under whatever head the log has now. Throws AUDIT_STATE_INVALID, AUDIT_STATE_OTHER_LOG.
 */
export function parseState(text: string, subject: CheckSubject): { head: CheckedHead; state: CheckState } {
  const [json = '', digest, ...more] = text.split('\n')
  if (text.length > MAX_STATE_BYTES || digest !== digestOf(json) || more.length !== 1 || more[0] !== '') {
    throw invalid('it was cut off or changed')
  }
  const file = readJson(json)
  if (file.format !== FORMAT) throw invalid('it was written by another version')
  const wanted = subjectText(subject)
  for (const name of Object.keys(wanted)) {
    if (file.subject[name] === wanted[name]) continue
    throw new AuditError('AUDIT_STATE_OTHER_LOG', 'the state is of a check of something else', {
      check: name,
      expected: wanted[name]!,
      found: String(file.subject[name]),
      hint: 'Give the state file that belongs to this log, or remove it to begin again.',
    })
  }
  try {
    const head = { size: BigInt(file.head.size), root: hexDecode(file.head.root) }
    return { head, state: fromFile(file, head.size) }
  } catch (cause) {
    if (cause instanceof AuditError) throw cause
    throw invalid('it does not hold what it should', cause)
  }
}

function fromFile(file: StateFile, size: bigint): CheckState {
  const tiles = BigInt(file.tiles)
  if (tiles < 0n || tiles > size >> BigInt(TILE_HEIGHT)) throw invalid('it is beyond the tree')
  if (file.levels.length > MAX_LEVELS) throw invalid('it has more levels than a tree')
  const levels = file.levels.map((level, i) => openTile(level, Number((tiles >> BigInt(TILE_HEIGHT * i)) & 255n)))
  if (tiles >> BigInt(TILE_HEIGHT * levels.length) > 0n) throw invalid('it lacks a level')
  return {
    tiles,
    levels,
    bytes: BigInt(file.bytes),
    tilesCompared: Number(file.tilesCompared),
    differences: file.differences.map(readDifference),
    unlisted: Number(file.unlisted),
  }
}

function openTile(level: StateFile['levels'][number], count: number): OpenTile {
  const known = hexDecode(level.hashes)
  if (known.length !== count * 32) throw invalid('a level has another number of hashes than the place it is at')
  const hashes = Buffer.alloc(256 * 32)
  hashes.set(known)
  const stored = new Map(Object.entries(level.stored).map(([slot, hash]) => [Number(slot), hexDecode(hash)]))
  return { hashes, count, stored }
}

function readDifference(raw: Record<string, unknown>): Difference {
  const values = Object.entries(raw).map(([name, value]) => {
    const isNumber = (name === 'entry' || name === 'index') && typeof value === 'string' && /^\d+n$/.test(value)
    return [name, isNumber ? BigInt(value.slice(0, -1)) : value]
  })
  return Object.fromEntries(values) as Difference
}

function subjectText({ origin, logId, how }: CheckSubject): Record<string, string> {
  return { origin, key: hexEncode(logId), how }
}

function readJson(json: string): StateFile {
  let file: unknown
  try {
    file = JSON.parse(json)
  } catch (cause) {
    throw invalid('it is not JSON', cause)
  }
  if (typeof file !== 'object' || file === null || typeof (file as StateFile).subject !== 'object') {
    throw invalid('it is not a state')
  }
  return file as StateFile
}

function digestOf(json: string): string {
  return createHash('sha256').update(json).digest('hex')
}

function invalid(why: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_STATE_INVALID', `the state of the check cannot be used: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Remove the file to begin again.',
  })
}

/** What is wrong with a head that the log shows now, given one that it showed before; undefined when it may be the later one. */
export function headWentBack(before: CheckedHead, now: CheckedHead): Difference | undefined {
  const sameSize = before.size === now.size
  if (now.size > before.size || (sameSize && equalBytes(before.root, now.root))) return undefined
  const message = sameSize
    ? `the log shows another root of size ${now.size} than when this check began`
    : `the log shows ${now.size} entries; it had signed for ${before.size} when this check began`
  return { kind: 'checkpoint', message, expected: hexEncode(before.root), found: hexEncode(now.root) }
}
