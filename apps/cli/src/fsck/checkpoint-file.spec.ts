import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { CheckState } from '@touchmark/audit'
import { CheckpointFile } from './checkpoint-file.js'

const subject = { origin: 'log.example.com', logId: new Uint8Array(32), how: 'url' }
const head = { size: 700n, root: new Uint8Array(32).fill(7) }
const state = (): CheckState => ({
  tiles: 2n,
  levels: [{ hashes: Buffer.alloc(8192, 3), count: 2, stored: new Map([[1, new Uint8Array(32)]]) }],
  bytes: 5n,
  tilesCompared: 2,
  differences: [{ kind: 'entry', message: 'entry 3 is missing', entry: 3n }],
  unlisted: 0,
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-fsck-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('the file of --resume', () => {
  it('is read as it was written, by its owner alone, and leaves nothing beside it', async () => {
    const path = join(folder, 'state')
    await new CheckpointFile(path, 0).save(subject, head, state)
    const found = await new CheckpointFile(path).load(subject)
    expect(found?.head).toEqual(head)
    expect(found?.state).toMatchObject({ tiles: 2n, bytes: 5n, differences: state().differences })
    expect(found?.state.levels[0]).toMatchObject({ count: 2, stored: new Map([[1, new Uint8Array(32)]]) })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['state'])
  })

  it('is not written more often than every few seconds', async () => {
    await new CheckpointFile(join(folder, 'state')).save(subject, head, state)
    expect(await readdir(folder)).toEqual([])
  })

  it('is nothing where there is none, and is gone when it was removed', async () => {
    const file = new CheckpointFile(join(folder, 'state'), 0)
    expect(await file.load(subject)).toBeUndefined()
    await file.save(subject, head, state)
    await file.remove()
    await file.remove()
    expect(await file.load(subject)).toBeUndefined()
  })
})
