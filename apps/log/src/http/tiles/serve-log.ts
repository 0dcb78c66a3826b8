import type { Log } from '@touchmark/ledger'
import { parseTilePath, TlogError, type TileId } from '@touchmark/tlog'
import type { Request, Response } from 'express'
import { LogApiError } from '../../errors.js'
import { IMMUTABLE, sendStatic } from './static-answer.js'

const MAX_UINT32 = 0xffffffffn

function readTilePath(path: string): TileId {
  const level = /^tile\/([^/]*)\//.exec(path)?.[1]
  if (level !== undefined && level !== 'entries' && !isUint32(level)) {
    // The reference's gateway parses the level before anything looks for the tile.
    const text = `type mismatch, parameter: L, error: strconv.ParseUint: parsing ${JSON.stringify(level.slice(0, 32))}: invalid syntax`
    throw new LogApiError('LOG_TILE_LEVEL_INVALID', text)
  }
  try {
    return parseTilePath(path)
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause
    throw new LogApiError('LOG_TILE_NOT_FOUND', 'not the path of a tile', { cause })
  }
}

function isUint32(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text) && BigInt(text) <= MAX_UINT32
}

/**
 * Answers with a tile or an entry bundle; `path` begins with `tile/`. A partial tile that has been overtaken is cut from the current one, so every width
 * that ever was is served for ever. Throws LOG_TILE_NOT_FOUND, LOG_TILE_LEVEL_INVALID.
 */
export async function serveTile(log: Log, path: string, request: Request, response: Response): Promise<void> {
  const { level, index, width } = readTilePath(path)
  const bytes = level === 'entries' ? await log.entryBundle(index, width) : await log.tile(level, index, width)
  if (bytes === undefined) throw new LogApiError('LOG_TILE_NOT_FOUND', 'the tree does not reach that far')
  sendStatic(request, response, { bytes, contentType: 'application/octet-stream', cacheControl: IMMUTABLE })
}

/** Answers with the newest committed checkpoint, a signed note. */
export async function serveCheckpoint(log: Log, request: Request, response: Response): Promise<void> {
  const { note } = await log.checkpoint()
  const bytes = Buffer.from(note)
  sendStatic(request, response, { bytes, contentType: 'text/plain; charset=utf-8', cacheControl: 'no-cache' })
}
