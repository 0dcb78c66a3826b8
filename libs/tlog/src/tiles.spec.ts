import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { concatBytes } from '@touchmark/encoding'
import { CompactRange, assembleProof, leafHash, planInclusion, rootPlan, type NodeSource } from '@touchmark/merkle'
import fc from 'fast-check'
import { decodeEntryBundle, encodeEntryBundle } from './entry-bundle.js'
import {
  nodeInTile,
  parseTilePath,
  placeOfNode,
  rightEdge,
  tilePath,
  tileRoot,
  tileWidth,
  type TileId,
} from './tiles.js'

const LOG = join(process.cwd(), 'test/vectors/rekor-v2/log')
const read = (path: string): Uint8Array => readFileSync(join(LOG, path))

function recordedTiles(): string[] {
  return readdirSync(join(LOG, 'tile'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(LOG.length + 1))
}
function recordedBodies(): Uint8Array[] {
  return [...decodeEntryBundle(read('tile/entries/000')), ...decodeEntryBundle(read('tile/entries/001.p/44'))]
}

describe('tile paths', () => {
  it.each([
    [{ level: 0, index: 5n, width: 256 }, 'tile/0/005'],
    [{ level: 0, index: 1234067n, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 1, index: 0n, width: 3 }, 'tile/1/000.p/3'],
    [{ level: 'entries', index: 1000n, width: 255 }, 'tile/entries/x001/000.p/255'],
    [{ level: 63, index: 999n, width: 1 }, 'tile/63/999.p/1'],
  ] satisfies [TileId, string][])('names %j as %s, and reads it', (id, path) => {
    expect(tilePath(id.level, id.index, id.width)).toBe(path)
    expect(parseTilePath(path)).toEqual(id)
  })

  it('reads the path of every recorded tile, and writes it the same', () => {
    for (const path of recordedTiles()) {
      const { level, index, width } = parseTilePath(path)
      expect(tilePath(level, index, width)).toBe(path)
    }
  })

  it.each([
    'tile/0/5',
    'tile/0/0005',
    'tile/0/x000/005',
    'tile/0/001/005',
    'tile/0/x01/005',
    'tile/00/005',
    'tile/01/005',
    'tile/64/005',
    'tile/100/005',
    'tile/-1/005',
    'tile/0/005.p/0',
    'tile/0/005.p/256',
    'tile/0/005.p/300',
    'tile/0/005.p/01',
    'tile/0/005.p/',
    'tile/0/005.p',
    'tile/0/005/',
    'tile/0/005\n',
    '/tile/0/005',
    'tile//005',
    'tile/entry/005',
    'tile/0/../../etc/passwd',
    `tile/0/${'x001/'.repeat(30)}005`,
    'tile/0/x036/x028/x797/x018/x963/968',
    'tile/0/٠٠٥',
    '',
  ])('refuses %j', (path) => {
    expect(() => parseTilePath(path)).toThrowCode('TLOG_TILE_PATH_INVALID')
  })

  it('reads the tile of the last index there is', () => {
    expect(parseTilePath('tile/0/x036/x028/x797/x018/x963/967').index).toBe((1n << 55n) - 1n)
  })

  it('names no tile that cannot be', () => {
    expect(() => tilePath(64, 0n)).toThrowCode('TLOG_TILE_PATH_INVALID')
    expect(() => tilePath(-1, 0n)).toThrowCode('TLOG_TILE_PATH_INVALID')
    expect(() => tilePath(0.5, 0n)).toThrowCode('TLOG_TILE_PATH_INVALID')
    expect(() => tilePath(0, -1n)).toThrowCode('TLOG_TILE_PATH_INVALID')
    expect(() => tilePath(0, 1n << 55n)).toThrowCode('TLOG_TILE_PATH_INVALID')
    expect(() => tilePath(0, 0n, 0)).toThrowCode('TLOG_TILE_PATH_INVALID')
    expect(() => tilePath(0, 0n, 257)).toThrowCode('TLOG_TILE_PATH_INVALID')
  })

  it('any text is refused, or is the one name of what it names', () => {
    const piece = fc.constantFrom(
      'tile',
      'entries',
      '/',
      'x',
      '.p',
      '0',
      '00',
      '000',
      '001',
      '1',
      '63',
      '255',
      '256',
      'é',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (path) => {
        let id: TileId
        try {
          id = parseTilePath(path)
        } catch (error) {
          expect((error as { code?: string }).code).toBe('TLOG_TILE_PATH_INVALID')
          return
        }
        expect(tilePath(id.level, id.index, id.width)).toBe(path)
      }),
      { numRuns: 1000 },
    )
  })

  it('a path that is written is read as the same tile', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })),
        fc.bigInt({ min: 0n, max: (1n << 55n) - 1n }),
        fc.integer({ min: 1, max: 256 }),
        (level, index, width) => {
          expect(parseTilePath(tilePath(level, index, width))).toEqual({ level, index, width })
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('tiles', () => {
  it('have the widths of log-v2.md §8', () => {
    expect(tileWidth(0, 0n, 0n)).toBe(0)
    expect(tileWidth(0, 0n, 255n)).toBe(255)
    expect(tileWidth(1, 0n, 255n)).toBe(0)
    expect(tileWidth(0, 0n, 256n)).toBe(256)
    expect(tileWidth(1, 0n, 256n)).toBe(1)
    expect(tileWidth(0, 1n, 256n)).toBe(0)
    expect(tileWidth(0, 1n, 257n)).toBe(1)
    expect(tileWidth(1, 0n, 65_535n)).toBe(255)
    expect(tileWidth(2, 0n, 65_536n)).toBe(1)
    expect(tileWidth(0, 256n, 65_537n)).toBe(1)
  })

  it('at the right edge are the last of each level', () => {
    expect(rightEdge(0n)).toEqual([])
    expect(rightEdge(1n)).toEqual([{ level: 0, index: 0n, width: 1 }])
    expect(rightEdge(256n)).toEqual([
      { level: 0, index: 0n, width: 256 },
      { level: 1, index: 0n, width: 1 },
    ])
    expect(rightEdge(65_537n)).toEqual([
      { level: 0, index: 256n, width: 1 },
      { level: 1, index: 0n, width: 256 },
      { level: 2, index: 0n, width: 1 },
    ])
  })

  it('of the recorded log are rebuilt byte for byte from its entries', () => {
    const bodies = recordedBodies()
    expect(bodies).toHaveLength(300)
    const level0 = concatBytes(...bodies.map((body) => leafHash(body)))
    expect(level0.slice(0, 8192)).toEqual(Uint8Array.from(read('tile/0/000')))
    const rebuilt: Record<string, Uint8Array> = {
      'tile/0/000': level0.slice(0, 8192),
      'tile/1/000.p/1': tileRoot(level0.slice(0, 8192)),
      'tile/entries/000': encodeEntryBundle(bodies.slice(0, 256)),
    }
    for (const width of [1, 43, 44]) {
      rebuilt[`tile/0/001.p/${width}`] = level0.slice(8192, 8192 + 32 * width)
      rebuilt[`tile/entries/001.p/${width}`] = encodeEntryBundle(bodies.slice(256, 256 + width))
    }
    expect(Object.keys(rebuilt).sort()).toEqual(recordedTiles().sort())
    for (const [path, bytes] of Object.entries(rebuilt)) expect(bytes).toEqual(Uint8Array.from(read(path)))
  })

  it('serve every node of a proof, and the root', () => {
    const source = tileSource(
      new Map([
        ['0/0', read('tile/0/000')],
        ['0/1', read('tile/0/001.p/44')],
        ['1/0', read('tile/1/000.p/1')],
      ]),
    )
    const range = CompactRange.empty()
    const bodies = recordedBodies()
    for (const body of bodies) range.append(leafHash(body))
    expect(assembleProof([rootPlan(300n)], source)).toEqual([range.root()])
    for (const index of [0n, 255n, 256n, 299n]) {
      expect(assembleProof(planInclusion(index, 300n), source).length).toBeGreaterThan(0)
    }
  })

  it('do not serve a node beyond their width', () => {
    const tile = read('tile/0/001.p/44')
    expect(nodeInTile(tile, placeOfNode({ level: 0, index: 299n }))).toBeDefined()
    expect(nodeInTile(tile, placeOfNode({ level: 0, index: 300n }))).toBeUndefined()
    expect(nodeInTile(tile, placeOfNode({ level: 2, index: 74n }))).toBeDefined()
    expect(nodeInTile(tile, placeOfNode({ level: 3, index: 37n }))).toBeUndefined()
  })

  it('are refused with a length that is no number of hashes', () => {
    const place = placeOfNode({ level: 0, index: 0n })
    expect(() => nodeInTile(new Uint8Array(33), place)).toThrowCode('TLOG_TILE_INVALID')
    expect(() => nodeInTile(new Uint8Array(257 * 32), place)).toThrowCode('TLOG_TILE_INVALID')
    expect(() => tileRoot(new Uint8Array(255 * 32))).toThrowCode('TLOG_TILE_INVALID')
  })
})

function tileSource(tiles: Map<string, Uint8Array>): NodeSource {
  return {
    node(level, index) {
      const place = placeOfNode({ level, index })
      const tile = tiles.get(`${place.level}/${place.index}`)
      return tile && nodeInTile(tile, place)
    },
  }
}
