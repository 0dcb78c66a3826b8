import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { FileGuard } from './file-guard.js'
import { retireRecord } from './guard-file.js'
import { RECORD_BYTES, SLOT_BYTES, encodeSlot } from './record.js'
import { placeName } from './place-name.js'

const ORIGIN = 'log.example.com'
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'touchmark-guard-'))
  folders.push(folder)
  return join(folder, 'guard')
}

const head = (size: bigint) => ({ size, note: `${ORIGIN}\n${size}\nroot\n` })
const recordsIn = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.head'))
const sizes = async (dir: string, origin = ORIGIN): Promise<bigint[]> =>
  (await new FileGuard(dir).newest(origin)).map(({ size }) => size).sort()

/** A record as a process leaves it that is gone: no process has this number. */
function plant(dir: string, bytes: Uint8Array, pid = 4_194_305, origin = ORIGIN): string {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `${placeName(origin)}.${pid}.${'ab'.repeat(8)}.head`)
  const record = new Uint8Array(RECORD_BYTES)
  record.set(bytes)
  writeFileSync(path, record)
  return path
}

describe('the guard in a folder', () => {
  it('knows nothing at first, and makes nothing by being asked', async () => {
    const dir = newFolder()
    expect(await sizes(dir)).toEqual([])
    expect(() => statSync(dir)).toThrow()
  })

  it('knows the newest head at once and after a restart, each tree by itself', async () => {
    const dir = newFolder()
    const guard = new FileGuard(dir)
    for (const size of [1n, 2n, 9n, 10n]) {
      guard.note(ORIGIN, head(size))
      expect(await guard.newest(ORIGIN)).toEqual([head(size)])
      // Another process reads it before anything is closed or flushed.
      expect(await sizes(dir)).toEqual([size])
    }
    guard.note(`${ORIGIN}/ct`, head(3n))
    await guard.close()
    expect([await sizes(dir), await sizes(dir, `${ORIGIN}/ct`)]).toEqual([[10n], [3n]])
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    for (const name of recordsIn(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600)
  })

  it('lists the trees that it knows, those that were given up too, and none that it only seems to know', async () => {
    const dir = newFolder()
    expect(await new FileGuard(dir).origins()).toEqual([])
    const guard = new FileGuard(dir)
    const v1 = `${ORIGIN} - 12`
    guard.note(ORIGIN, head(3n))
    guard.note(v1, { size: 1n, note: `${v1}\n1\nroot\n` })
    await guard.giveUp({ origin: 'gone.example', kept: '', lost: ['a note'], at: '2026-12-01T00:00:00Z' })
    plant(dir, new Uint8Array(4), 4_194_305, 'damaged.example')
    plant(dir, encodeSlot(head(3n)), 4_194_305, 'another.example')
    writeFileSync(join(dir, 'given-up', 'x.json'), '{}')
    expect([...(await new FileGuard(dir).origins())].sort()).toEqual(['gone.example', ORIGIN, v1])
    await guard.close()
  })

  it('never goes back', async () => {
    const guard = new FileGuard(newFolder())
    guard.note(ORIGIN, head(10n))
    guard.note(ORIGIN, head(9n))
    expect(await guard.newest(ORIGIN)).toEqual([head(10n)])
    await guard.close()
  })

  it('loses no maximum when several processes write, in whatever order', async () => {
    const dir = newFolder()
    const guards = Array.from({ length: 4 }, () => new FileGuard(dir))
    for (let size = 1n; size <= 200n; size++) {
      guards[Number((size * 7n) % 4n)]!.note(ORIGIN, head(size))
      const known = await guards[0]!.newest(ORIGIN)
      expect(known.reduce((most, one) => (one.size > most ? one.size : most), 0n)).toBe(size)
    }
    // Each held the others for gone, since they have its own number; what was taken away came back.
    expect(recordsIn(dir).length).toBeLessThanOrEqual(4)
    for (const guard of guards) await guard.close()
    expect((await sizes(dir)).at(-1)).toBe(200n)
  })

  it('sees at once what another process has noted, and not what is its own', async () => {
    const dir = newFolder()
    const [one, other] = [new FileGuard(dir), new FileGuard(dir)]
    one.note(ORIGIN, head(5n))
    expect(one.ahead(ORIGIN, 4n)).toBeUndefined()
    expect(other.ahead(ORIGIN, 4n)).toEqual(head(5n))
    expect(other.ahead(ORIGIN, 5n)).toBeUndefined()
    await one.close()
  })

  it('takes away what a process left that is gone, when its own head says as much', async () => {
    const dir = newFolder()
    plant(dir, encodeSlot(head(7n)))
    const behind = new FileGuard(dir)
    behind.note(ORIGIN, head(6n))
    expect(await sizes(dir)).toEqual([6n, 7n])
    await behind.close()
    const level = new FileGuard(dir)
    level.note(ORIGIN, head(7n))
    expect(await sizes(dir)).toEqual([7n])
    await level.close()
  })

  it('comes back when its file or folder is taken away', async () => {
    const dir = newFolder()
    const guard = new FileGuard(dir)
    guard.note(ORIGIN, head(5n))
    rmSync(dir, { recursive: true })
    guard.note(ORIGIN, head(6n))
    expect([guard.problem(), await sizes(dir)]).toEqual([undefined, [6n]])
    await guard.close()
  })

  it('with its newest slot cut short knows the one before', async () => {
    const dir = newFolder()
    const guard = new FileGuard(dir)
    guard.note(ORIGIN, head(5n))
    guard.note(ORIGIN, head(6n))
    await guard.close()
    const path = join(dir, recordsIn(dir)[0]!)
    const bytes = readFileSync(path)
    bytes.fill(0, SLOT_BYTES + 40)
    writeFileSync(path, bytes)
    expect(await sizes(dir)).toEqual([5n])
  })

  it.each([
    ['of zeros', new Uint8Array(4)],
    ['of another format', new TextEncoder().encode('{"size":5}')],
    ['whose only head was changed', encodeSlot(head(5n)).fill(1, 60)],
  ])('refuses a record %s, and names the file', async (_, bytes) => {
    const dir = newFolder()
    const path = plant(dir, bytes)
    const reading = new FileGuard(dir).newest(ORIGIN)
    await expect(reading).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
    await expect(reading).rejects.toThrow(path)
  })

  it('says that it cannot be read or written, and does not throw at a writer', async () => {
    const dir = newFolder()
    writeFileSync(dir, 'no folder')
    const guard = new FileGuard(dir)
    await expect(guard.newest(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_UNAVAILABLE')
    guard.note(ORIGIN, head(1n))
    expect(guard.problem()).toMatch(/cannot be written/)
    rmSync(dir)
    guard.note(ORIGIN, head(2n))
    expect(guard.problem()).toBeUndefined()
    await guard.close()
  })

  it('remembers for ever that a tree was given up, and what of it was lost', async () => {
    const dir = newFolder()
    const guard = new FileGuard(dir)
    guard.note(ORIGIN, head(9n))
    const tree = { origin: ORIGIN, kept: head(4n).note, lost: [head(9n).note], at: '2026-12-01T00:00:00Z' }
    await guard.giveUp(tree)
    expect([await guard.newest(ORIGIN), await guard.givenUp(ORIGIN)]).toEqual([[], tree])
    // What begins again begins at what is kept.
    guard.note(ORIGIN, head(4n))
    await guard.giveUp({ ...tree, kept: head(3n).note, lost: [head(4n).note], at: '2027-01-01T00:00:00Z' })
    expect(await guard.givenUp(ORIGIN)).toEqual({ ...tree, lost: [head(9n).note, head(4n).note] })
    expect(await guard.givenUp('other.example.com')).toBeUndefined()
    await guard.close()
  })

  it.each([['{'], ['null'], ['{"origin":"other"}'], [`{"origin":"${ORIGIN}","kept":"","at":"","lost":[1]}`]])(
    'refuses a record of a tree that was given up that reads %s',
    async (text) => {
      const dir = newFolder()
      mkdirSync(join(dir, 'given-up'), { recursive: true })
      writeFileSync(join(dir, 'given-up', `${placeName(ORIGIN)}.json`), text)
      await expect(new FileGuard(dir).givenUp(ORIGIN)).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
    },
  )
})

it('a record that another process has taken away meanwhile is none to take away', () => {
  const dir = newFolder()
  const path = plant(dir, encodeSlot(head(3n)))
  expect(retireRecord(path, 3n)).toBeUndefined()
  expect(recordsIn(dir)).toEqual([])
  expect(retireRecord(path, 3n)).toBeUndefined()
})
