import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { removeOrphans } from './orphans.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-orphans-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function place(name: string, origin: string | undefined): Promise<void> {
  await mkdir(join(folder, name, 'cluster', 'data'), { recursive: true })
  if (origin !== undefined) await writeFile(join(folder, name, 'origin'), `${origin}\n`)
}

describe('removeOrphans', () => {
  it('removes what a vanished temporary folder left, and nothing else', async () => {
    await place('temporary-gone', join(tmpdir(), 'touchmark-demo-gone', 'data', 'postgres'))
    await place('temporary-there', folder)
    await place('elsewhere-gone', '/srv/touchmark-not-mounted/data')
    await place('looks-temporary', `${tmpdir()}-not/data`)
    await place('unknown', undefined)
    const told: string[] = []
    await removeOrphans(folder, (line) => told.push(line))
    expect((await readdir(folder)).sort()).toEqual(['elsewhere-gone', 'looks-temporary', 'temporary-there', 'unknown'])
    expect(told).toHaveLength(1)
  })
})
