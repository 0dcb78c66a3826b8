import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { checkTree } from '../check/check-tree.js'
import { createHasher } from '../hash/hasher.js'
import { StaticSource } from '../source/static-source.js'
import { MemoryLog, smallBodies } from '../testing/memory-log.js'
import { exportLog, type ExportReport } from './export-log.js'
import { FolderTarget } from './folder-target.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-export-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const logs = new Map<string, MemoryLog>()
/** Checkpoints of these tests are `NAME SIZE`: who signed them is the caller's to find out. */
function noteOf(log: MemoryLog, name: string): string {
  const note = `${name} ${log.size}`
  logs.set(note, log)
  return note
}

async function run(log: MemoryLog, target = new FolderTarget(folder), name = 'log'): Promise<ExportReport> {
  return exportLog({
    read: (path) => Promise.resolve(log.files.get(path)),
    head: { origin: name, note: noteOf(log, name), size: log.size, root: log.root },
    logId: new Uint8Array(32),
    verify: (note) => {
      if (!note.startsWith(`${name} `)) throw new Error('another log')
      return logs.get(note)!
    },
    target,
    parallel: 4,
  })
}

async function checkFolder(log: MemoryLog): Promise<void> {
  const target = new FolderTarget(folder)
  const source = new StaticSource((path) => target.read(path), 4)
  const { differences } = await checkTree({ source, hasher: createHasher(0), size: log.size, root: log.root })
  expect(differences).toEqual([])
  expect((await readFile(join(folder, 'checkpoint'))).toString()).toBe(noteOf(log, 'log'))
}

const of = (size: number): MemoryLog => new MemoryLog(smallBodies(size))

describe('an export to a folder', () => {
  it.each([1, 255, 256, 257, 1100])('of %i entries is a log of its own', async (size) => {
    await run(of(size))
    await checkFolder(of(size))
  })

  it('adds only what is new, and does nothing the second time', async () => {
    expect(await run(of(300))).toEqual({ size: 300n, from: 0n, files: 6 })
    expect(await run(of(300))).toEqual({ size: 300n, from: 300n, files: 0 })
    expect((await run(of(600))).from).toBe(300n)
    await checkFolder(of(600))
    // The partial files of a tile that is full now are gone.
    expect(await readdir(join(folder, 'tile', 'entries'))).toEqual(['000', '001', '002.p'])
  })

  it('never shows a checkpoint before its tiles, and goes on wherever it was interrupted', async () => {
    const small = of(300)
    const large = of(1100)
    await run(small)
    for (let failing = 0; ; failing++) {
      const target = new FolderTarget(folder)
      const write = target.write.bind(target)
      let writes = 0
      target.write = (path, bytes) =>
        writes++ >= failing ? Promise.reject(new Error('power cut')) : write(path, bytes)
      const done = await run(large, target).then(
        () => true,
        () => false,
      )
      if (done) break
      await checkFolder(small)
    }
    await checkFolder(large)
  }, 60_000)

  it('refuses a folder of another log, a newer one, and one that is no export', async () => {
    await run(of(300))
    await expect(run(of(300), undefined, 'other')).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    await expect(run(of(299))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    const forked = new MemoryLog([...smallBodies(299), new Uint8Array(3)])
    logs.set('log 300', of(300))
    const fork = run(forked)
    logs.set('log 300', of(300))
    await expect(fork).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    await rm(folder, { recursive: true })
    folder = await mkdtemp(join(tmpdir(), 'touchmark-export-'))
    await writeFile(join(folder, 'notes.txt'), 'mine')
    await expect(run(of(300))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect(await readdir(folder)).toEqual(['notes.txt'])
  })

  it('refuses to go on with a log that does not extend what was exported', async () => {
    await run(of(300))
    const bodies = smallBodies(600)
    bodies[299] = new Uint8Array(3)
    await expect(run(new MemoryLog(bodies))).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    await checkFolder(of(300))
  })

  it('does not replace a checkpoint that another exporter has written meanwhile', async () => {
    await run(of(300))
    const target = new FolderTarget(folder)
    const write = target.write.bind(target)
    target.write = async (path, bytes) => {
      await write(path, bytes)
      if (path.includes('.p/')) await writeFile(join(folder, 'checkpoint'), noteOf(of(900), 'log'))
    }
    await expect(run(of(600), target)).rejects.toThrowCode('AUDIT_EXPORT_REFUSED')
    expect((await readFile(join(folder, 'checkpoint'))).toString()).toBe('log 900')
  })

  it('does not copy a log whose tiles do not lead to its checkpoint', async () => {
    const log = of(300)
    log.flip('tile/0/001.p/44', 3)
    await expect(run(log)).rejects.toThrowCode('AUDIT_LOG_INCONSISTENT')
    expect(await readdir(folder)).toEqual([])
  })
})
