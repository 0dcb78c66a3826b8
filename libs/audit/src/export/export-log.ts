import { equalBytes, hexEncode, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { HASH_BYTES, rootPlan } from '@touchmark/merkle'
import { TILE_HEIGHT, TILE_WIDTH, placeOfNode, rightEdge, tilePath, tileWidth } from '@touchmark/tlog'
import type { CheckedHead } from '../check/state-file.js'
import { AuditError } from '../errors.js'
import { foldHashes, joinHashes } from '../hash/fold.js'
import type { ReadPath } from '../source/static-source.js'
import { CHECKPOINT, MARKER, type ExportTarget } from './export-target.js'

export interface ExportedHead extends CheckedHead {
  readonly origin: string
  readonly note: string
}

export interface ExportOptions {
  readonly read: ReadPath
  /** The head to export, verified by the caller. */
  readonly head: ExportedHead
  /** 32 bytes. */
  readonly logId: Uint8Array
  /** Verifies a checkpoint that the target has already. Throws when it is not this log's. */
  verify(note: string): CheckedHead
  readonly target: ExportTarget
  /** Files that are copied at once. */
  readonly parallel: number
  onProgress?(done: bigint, of: bigint): void
}

export interface ExportReport {
  readonly size: bigint
  /** Size that the target had before. */
  readonly from: bigint
  readonly files: number
}

/**
 * Copies a log to a target: full tiles and bundles, then the partial ones at the right edge, and the checkpoint last, so that a reader of the target never
 * sees a checkpoint whose tiles are not there. A copy that was interrupted at any place is gone on with by the next one.
 * Throws AUDIT_EXPORT_REFUSED when the target holds another log or a head that this one does not extend, AUDIT_LOG_INCONSISTENT when the log's own tiles do not lead to its heads.
 */
export async function exportLog(options: ExportOptions): Promise<ExportReport> {
  const { head, target, read } = options
  const before = await headOfTarget(options)
  await assertRoot(read, head, head, 'the newest checkpoint')
  if (before) await assertRoot(read, before, head, `the checkpoint in ${target.name}`, 'AUDIT_EXPORT_REFUSED')
  const from = before?.size ?? 0n
  if (before === undefined) await target.write(MARKER, utf8Encode(markerOf(options)))
  let files = 0
  let done = from
  for (const batch of batches(fullPaths(from, head.size), options.parallel)) {
    const written = await Promise.all(batch.map(({ path, bytes }) => copyFull(options, path, bytes)))
    files += written.filter(Boolean).length
    done += BigInt(batch.filter(({ path }) => path.startsWith('tile/entries/')).length * TILE_WIDTH)
    options.onProgress?.(done, head.size)
  }
  for (const path of partialPaths(head.size)) {
    const bytes = await need(options, path)
    const there = await target.read(path)
    if (there && !equalBytes(there, bytes)) throw refused(`${path} in ${target.name} has other bytes than the log`)
    if (there) continue
    await target.write(path, bytes)
    files++
  }
  const note = utf8Encode(head.note)
  if (!before || !equalBytes(before.note, note)) {
    await target.replaceCheckpoint(note, before?.note)
    files++
  }
  if (before) for (const path of becameFull(before.size, head.size)) await target.removePartials(path)
  options.onProgress?.(head.size, head.size)
  return { size: head.size, from, files }
}

/** The head that the target shows, when it is this log's and not beyond, with the bytes that say so. */
async function headOfTarget({
  target,
  head,
  verify,
  ...options
}: ExportOptions): Promise<(CheckedHead & { note: Uint8Array }) | undefined> {
  const note = await target.read(CHECKPOINT)
  if (note === undefined) {
    const marker = await target.read(MARKER)
    if (marker === undefined && !(await target.isEmpty())) {
      throw refused(`${target.name} is not empty, and not from an export`)
    }
    if (marker !== undefined && utf8Decode(marker) !== markerOf({ head, ...options })) {
      throw refused(`${target.name} holds the files of another log`)
    }
    return undefined
  }
  let before: CheckedHead
  try {
    before = verify(utf8Decode(note))
  } catch (cause) {
    throw refused(`the checkpoint in ${target.name} is not one of this log`, cause)
  }
  if (before.size > head.size) throw refused(`${target.name} has ${before.size} entries, the log shows ${head.size}`)
  if (before.size === head.size && !equalBytes(before.root, head.root)) {
    throw refused(`${target.name} has another root of size ${head.size} than the log`)
  }
  return { size: before.size, root: before.root, note }
}

function markerOf({ head, logId }: Pick<ExportOptions, 'head' | 'logId'>): string {
  return `${JSON.stringify({ origin: head.origin, logId: hexEncode(logId) })}\n`
}

async function copyFull(options: ExportOptions, path: string, bytes: number | undefined): Promise<boolean> {
  // What is there is whole: it was written so, and its log has been looked at.
  if (await options.target.has(path)) return false
  const file = await need(options, path)
  if (bytes !== undefined && file.length !== bytes) throw inconsistent(`${path} of the log has ${file.length} bytes`)
  await options.target.write(path, file)
  return true
}

async function need({ read }: Pick<ExportOptions, 'read'>, path: string): Promise<Uint8Array> {
  const bytes = await read(path)
  if (bytes === undefined) throw inconsistent(`the log has no ${path}`)
  return bytes
}

/** Full bundles and tiles between two sizes; with the size in bytes where it is known. */
function* fullPaths(from: bigint, to: bigint): Generator<{ path: string; bytes: number | undefined }> {
  const width = BigInt(TILE_WIDTH)
  for (let index = from / width; index < to / width; index++) {
    yield { path: tilePath('entries', index), bytes: undefined }
    for (let level = 0, at = index; ; level++) {
      yield { path: tilePath(level, at), bytes: TILE_WIDTH * HASH_BYTES }
      // The last tile below one of the next level completes that one as well.
      if ((at + 1n) % width !== 0n) break
      at = at >> BigInt(TILE_HEIGHT)
    }
  }
}

function partialPaths(size: bigint): string[] {
  const tiles = rightEdge(size).filter(({ width }) => width < TILE_WIDTH)
  const paths = tiles.map(({ level, index, width }) => tilePath(level, index, width))
  const last = tiles.find(({ level }) => level === 0)
  return last ? [tilePath('entries', last.index, last.width), ...paths] : paths
}

/** The full paths of tiles that were partial at one size and are full at another. */
function becameFull(before: bigint, now: bigint): string[] {
  const edge = rightEdge(before).filter(({ width }) => width < TILE_WIDTH)
  const full = edge.filter(({ level, index }) => tileWidth(level, index, now) === TILE_WIDTH)
  return full.flatMap(({ level, index }) => [
    tilePath(level, index),
    ...(level === 0 ? [tilePath('entries', index)] : []),
  ])
}

function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = []
  for (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Throws unless the log's tiles lead to this head: a handful of reads, whatever the size. */
async function assertRoot(
  read: ReadPath,
  { size, root }: CheckedHead,
  newest: CheckedHead,
  whose: string,
  code: 'AUDIT_LOG_INCONSISTENT' | 'AUDIT_EXPORT_REFUSED' = 'AUDIT_LOG_INCONSISTENT',
): Promise<void> {
  if (size === 0n) return
  let folded: Uint8Array | undefined
  for (const node of [...rootPlan(size)].reverse()) {
    const { level, index, offset, count } = placeOfNode(node)
    const tile = await readTile(read, level, index, offset + count, newest.size)
    const hash = foldHashes(tile, offset, count)
    folded = folded === undefined ? hash : joinHashes(hash, folded)
  }
  if (equalBytes(folded!, root)) return
  throw new AuditError(code, `the tiles of the log do not lead to the root of ${whose}`, {
    expected: hexEncode(root),
    found: hexEncode(folded!),
    hint: 'Find out with `touchmark log fsck` what differs before anything is copied.',
  })
}

/** A tile as it is at the newest size, or full: partial tiles of earlier sizes may be gone. */
async function readTile(
  read: ReadPath,
  level: number,
  index: bigint,
  least: number,
  size: bigint,
): Promise<Uint8Array> {
  const path = tilePath(level, index, tileWidth(level, index, size))
  const tile = (await read(path)) ?? (await read(tilePath(level, index)))
  if (tile === undefined || tile.length < least * HASH_BYTES) throw inconsistent(`the log has no ${path}`)
  return tile
}

function refused(message: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_EXPORT_REFUSED', message, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Nothing was overwritten. Export to an empty place, or find out how this one came to differ.',
  })
}

function inconsistent(message: string): AuditError {
  return new AuditError('AUDIT_LOG_INCONSISTENT', message)
}
