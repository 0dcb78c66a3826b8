import { describe, expect, it } from '@jest/globals'
import { CompactRange, leafHash } from '@touchmark/merkle'
import { createHasher } from '../hash/hasher.js'
import { MemoryLog, smallBodies } from '../testing/memory-log.js'
import { checkTree, type CheckState, type CheckTreeOptions } from './check-tree.js'
import { encodeState, headWentBack, parseState } from './state-file.js'

const hasher = createHasher(0)
function check(log: MemoryLog, options: Partial<CheckTreeOptions> = {}) {
  return checkTree({ source: log.source(), hasher, size: log.size, root: log.root, ...options })
}

describe('a log that is as it should be', () => {
  it.each([1, 2, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537])(
    'of %i entries has no difference',
    async (size) => {
      const bodies = smallBodies(size)
      const report = await check(new MemoryLog(bodies))
      expect(report.differences).toEqual([])
      const range = CompactRange.empty()
      for (const body of bodies) range.append(leafHash(body))
      expect(Buffer.from(report.root).equals(range.root())).toBe(true)
      expect(Buffer.from(report.frontier).equals(range.encode())).toBe(true)
    },
  )

  it('is read with a partial tile cut from the full one, where only that is there', async () => {
    const log = new MemoryLog(smallBodies(300))
    const longer = new MemoryLog(smallBodies(600))
    for (const path of ['tile/0/001.p/44', 'tile/entries/001.p/44']) {
      log.files.delete(path)
      log.files.set(path.replace('.p/44', ''), longer.files.get(path.replace('.p/44', ''))!)
    }
    expect((await check(log)).differences).toEqual([])
  })
})

const FLIPS: [what: string, path: string, at: number, found: Record<string, unknown>][] = [
  ['a body', 'tile/entries/001', 2, { kind: 'entry', entry: 256n, path: 'tile/0/001', blame: 'entry' }],
  [
    'a body of the last tile',
    'tile/entries/004.p/76',
    3,
    { kind: 'entry', entry: 1024n, path: 'tile/0/004.p/76', blame: 'entry' },
  ],
  ['a hash of level 0', 'tile/0/002', 32 * 3, { kind: 'entry', entry: 515n, path: 'tile/0/002', blame: 'tile' }],
  [
    'a hash of the last tile',
    'tile/0/004.p/76',
    32 * 75,
    { kind: 'entry', entry: 1099n, path: 'tile/0/004.p/76', blame: 'tile' },
  ],
  ['a hash of level 1', 'tile/1/000.p/4', 40, { kind: 'tile', entry: 256n, path: 'tile/1/000.p/4', blame: 'tile' }],
]

describe('one byte that was changed', () => {
  it.each(FLIPS)('in %s is one difference, and named', async (_, path, at, found) => {
    const log = new MemoryLog(smallBodies(1100))
    log.flip(path, at)
    const report = await check(log)
    expect(report.differences).toEqual([expect.objectContaining(found)])
  })

  it('below a tile that is full itself is one difference', async () => {
    for (const [path, entry, blame] of [
      ['tile/entries/x001/002', 256_512n, 'entry'],
      ['tile/0/x001/002', 256_512n, 'tile'],
      ['tile/1/003', 196_608n, 'tile'],
      ['tile/2/000.p/4', 0n, 'tile'],
    ] as const) {
      const log = big()
      log.flip(path, 2)
      const { differences } = await check(log)
      expect(differences).toEqual([expect.objectContaining({ entry, blame })])
      log.flip(path, 2)
    }
  }, 60_000)

  it('in the signed root is named', async () => {
    const log = new MemoryLog(smallBodies(300))
    const { differences } = await check(log, { root: new Uint8Array(32) })
    expect(differences).toEqual([expect.objectContaining({ kind: 'root' })])
  })

  it('that shortens a body names the entry where the bundle stops making sense', async () => {
    const log = new MemoryLog(smallBodies(300))
    const path = 'tile/entries/001.p/44'
    log.files.set(path, log.files.get(path)!.slice(0, -1))
    const { differences } = await check(log)
    expect(differences[0]).toMatchObject({ message: `${path} ends inside entry 299` })
  })
})

let bigLog: MemoryLog | undefined
const big = (): MemoryLog => (bigLog ??= new MemoryLog(smallBodies(4 * 65_536)))

describe('what is missing or too much', () => {
  it.each([
    ['tile/0/001', /tile\/0\/001 is missing/],
    ['tile/1/000.p/4', /tile\/1\/000\.p\/4 is missing/],
    ['tile/entries/002', /entry 512 is missing/],
  ])('%s is named', async (path, message) => {
    const log = new MemoryLog(smallBodies(1100))
    log.files.delete(path)
    const { differences } = await check(log)
    expect(differences[0]?.message).toMatch(message)
    expect(differences).toHaveLength(path.includes('entries') ? 256 : 1)
  })

  it('a bundle that goes on behind its last entry is named', async () => {
    const log = new MemoryLog(smallBodies(300))
    const path = 'tile/entries/001.p/44'
    log.files.set(path, new Uint8Array([...log.files.get(path)!, 0, 1, 65]))
    expect((await check(log)).differences).toEqual([expect.objectContaining({ kind: 'extra', path })])
  })

  it('is listed up to a number, and counted beyond', async () => {
    const log = new MemoryLog(smallBodies(1100))
    log.files.delete('tile/entries/002')
    const report = await check(log, { maxDifferences: 10 })
    expect([report.differences.length, report.unlisted]).toEqual([10, 246])
  })
})

describe('a check that was interrupted', () => {
  const subject = { origin: 'log.example.com', logId: new Uint8Array(32), how: 'url' }

  it.each([0, 2, 5, 255, 256, 257, 700])(
    'after read %i comes to the same report when it is gone on with',
    async (stop) => {
      const log = big()
      log.flip('tile/entries/x001/002', 4)
      log.flip('tile/1/001', 4)
      const whole = await check(log)
      let saved = ''
      let reads = 0
      const stopping = check(log, {
        onProgress(_, state) {
          if (reads++ < stop) return
          saved = encodeState(subject, log, state())
          throw new Error('interrupted')
        },
      })
      await expect(stopping).rejects.toThrow('interrupted')
      log.reads.length = 0
      const from: CheckState = parseState(saved, subject).state
      const rest = await check(log, { from })
      expect(rest).toEqual(whole)
      expect(log.reads).not.toContain('tile/0/000')
      expect(log.reads.length).toBeLessThan(2_100 - 2 * stop)
      log.flip('tile/entries/x001/002', 4)
      log.flip('tile/1/001', 4)
    },
    60_000,
  )

  it('is not gone on with from a file that was changed, or that is of another log or head', async () => {
    const log = new MemoryLog(smallBodies(1100))
    let saved = ''
    await check(log, { onProgress: (_, state) => void (saved = encodeState(subject, log, state())) })
    expect(() => parseState(saved, { ...subject, origin: 'other' })).toThrowCode('AUDIT_STATE_OTHER_LOG')
    expect(() => parseState(saved, { ...subject, logId: new Uint8Array(32).fill(1) })).toThrowCode(
      'AUDIT_STATE_OTHER_LOG',
    )
    expect(() => parseState(saved, { ...subject, how: 'database' })).toThrowCode('AUDIT_STATE_OTHER_LOG')
    for (let at = 0; at < saved.length; at += 7) {
      const changed = `${saved.slice(0, at)}${saved[at] === '1' ? '2' : '1'}${saved.slice(at + 1)}`
      expect(() => parseState(changed, subject)).toThrowCode('AUDIT_STATE_INVALID')
      expect(() => parseState(saved.slice(0, at), subject)).toThrowCode('AUDIT_STATE_INVALID')
    }
  })
})

describe('a head that is seen again', () => {
  const head = (size: bigint, byte: number) => ({ size, root: new Uint8Array(32).fill(byte) })
  it.each([
    ['the same', head(5n, 1), undefined],
    ['a later one', head(6n, 2), undefined],
    ['an earlier one', head(4n, 2), /4 entries.*5/],
    ['another of its size', head(5n, 2), /another root of size 5/],
  ])('may be %s, or is a difference', (_, now, message) => {
    const difference = headWentBack(head(5n, 1), now)
    if (message === undefined) expect(difference).toBeUndefined()
    else expect(difference?.message).toMatch(message)
  })

  it('is gone on under when the log has grown', async () => {
    const log = new MemoryLog(smallBodies(1100))
    const longer = new MemoryLog(smallBodies(1500))
    let state: CheckState | undefined
    await check(log, { onProgress: (_, at) => void (state = at()) })
    const { differences, root } = await check(longer, { from: state! })
    expect([differences, Buffer.from(root).equals(longer.root)]).toEqual([[], true])
  })
})

describe('reading', () => {
  it('fails when the log cannot be asked', async () => {
    const log = new MemoryLog(smallBodies(1100))
    const source = log.source()
    source.tile = () => Promise.reject(new Error('no answer'))
    await expect(check(log, { source })).rejects.toThrow('no answer')
  })

  it('stops when it is told to', async () => {
    await expect(check(new MemoryLog(smallBodies(1100)), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  })
})
