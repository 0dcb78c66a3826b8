import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { exists, hashFile, hashRegularFile, readInput, sizeOf, writePrivate, writeWhole } from './files.js'
import { testContext, type TestContext } from './testing/context.js'

let context: TestContext
let file: string
beforeEach(async () => {
  context = await testContext()
  file = join(context.folder, 'file')
})
afterEach(() => context.remove())

describe('writeWhole', () => {
  it('writes a new file, and leaves nothing else behind', async () => {
    await writeWhole(file, 'content', { replace: false })
    expect(readFileSync(file, 'utf8')).toBe('content')
    expect(readdirSync(context.folder)).toEqual(['file'])
  })

  it('does not touch a file that is there', async () => {
    writeFileSync(file, 'old')
    await expect(writeWhole(file, 'new', { replace: false })).rejects.toThrowCode('CLI_FILE_EXISTS')
    expect([readFileSync(file, 'utf8'), readdirSync(context.folder)]).toEqual(['old', ['file']])
  })

  it('replaces a file when it is told to', async () => {
    writeFileSync(file, 'old')
    await writeWhole(file, 'new', { replace: true })
    expect([readFileSync(file, 'utf8'), readdirSync(context.folder)]).toEqual(['new', ['file']])
  })

  it('lets one of many writers win', async () => {
    const contents = Array.from({ length: 20 }, (_, i) => `content ${i}`)
    const outcomes = await Promise.allSettled(contents.map((content) => writeWhole(file, content, { replace: false })))
    const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [contents[i]] : []))
    expect(winners).toEqual([readFileSync(file, 'utf8')])
    expect(readdirSync(context.folder)).toEqual(['file'])
  })

  it('is never seen half written', async () => {
    const long = 'x'.repeat(1 << 20)
    writeFileSync(file, 'old')
    const writing = writeWhole(file, long, { replace: true })
    let done = false
    void writing.then(() => (done = true))
    while (!done) {
      expect(['old', long]).toContain(readFileSync(file, 'utf8'))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })

  it('keeps what was there when it fails, and leaves nothing else behind', async () => {
    mkdirSync(file)
    await expect(writeWhole(file, 'x', { replace: true })).rejects.toThrowCode('CLI_FILE_UNWRITABLE')
    await expect(writeWhole(join(context.folder, 'none', 'x'), 'x', { replace: false })).rejects.toThrowCode(
      'CLI_FILE_UNWRITABLE',
    )
    expect(readdirSync(context.folder)).toEqual(['file'])
    expect(readdirSync(file)).toEqual([])
  })

  it('does not write through a link', async () => {
    const target = join(context.folder, 'target')
    writeFileSync(target, 'precious')
    symlinkSync(target, file)
    await writeWhole(file, 'new', { replace: true })
    expect(readFileSync(target, 'utf8')).toBe('precious')
  })
})

describe('writePrivate', () => {
  it('makes folders and a file that only the owner may use', async () => {
    const path = join(context.home, 'deep', 'file')
    await writePrivate(path, 'secret')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    for (const folder of [context.home, join(context.home, 'deep')]) expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it('takes away what others were allowed', async () => {
    writeFileSync(file, 'old')
    chmodSync(file, 0o666)
    await writePrivate(file, 'secret')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('says that the folder cannot be made', async () => {
    writeFileSync(file, '')
    await expect(writePrivate(join(file, 'x', 'y'), 'secret')).rejects.toThrowCode('CLI_FILE_UNWRITABLE')
  })
})

describe('reading', () => {
  it('reads a file', async () => {
    writeFileSync(file, 'content')
    expect(Buffer.from(await readInput(file)).toString()).toBe('content')
    expect(await sizeOf(file)).toBe(7)
  })

  it('refuses what is larger than the limit before it is read', async () => {
    writeFileSync(file, '')
    truncateSync(file, 3 * 2 ** 30)
    await expect(readInput(file)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    await expect(readInput(file, 100)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('reads a pipe or a device that was named, and stops behind the limit', async () => {
    expect(await readInput('/dev/null')).toHaveLength(0)
    await expect(readInput('/dev/zero', 3 << 20)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    const pipe = join(context.folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const content = Buffer.alloc(200_000, 7)
    const writing = writeFile(pipe, content)
    expect(Buffer.from(await readInput(pipe, 200_000)).equals(content)).toBe(true)
    await writing
  })

  it('hashes what must be a regular file without waiting for what is none', async () => {
    writeFileSync(file, 'content')
    const [sha256, sha512] = await hashRegularFile(file, ['sha256', 'sha512'])
    expect([sha256, sha512]).toEqual(['sha256', 'sha512'].map((name) => createHash(name).update('content').digest()))
    const pipe = join(context.folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const path of [pipe, '/dev/zero', context.folder])
      await expect(hashRegularFile(path, ['sha256'])).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('refuses a folder, and what is not there', async () => {
    for (const path of [context.folder, file, join(file, 'x')]) {
      await expect(readInput(path)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
      await expect(sizeOf(path)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
      await expect(hashFile(path, 'sha256')).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    }
  })

  it.each(['sha256', 'sha384', 'sha512'] as const)('hashes a file with %s', async (algorithm) => {
    const content = Buffer.alloc(3 * (1 << 20) + 5, 7)
    writeFileSync(file, content)
    expect(Buffer.from(await hashFile(file, algorithm))).toEqual(createHash(algorithm).update(content).digest())
  })
})

describe('exists', () => {
  it('tells', async () => {
    writeFileSync(file, '')
    await expect(exists(file)).resolves.toBe(true)
    for (const path of [`${file}2`, join(file, 'x'), 'x'.repeat(100_000)])
      await expect(exists(path)).resolves.toBe(false)
  })

  it('does not say no where it cannot look', async () => {
    const a = join(context.folder, 'a')
    symlinkSync(join(context.folder, 'b'), a)
    symlinkSync(a, join(context.folder, 'b'))
    await expect(exists(a)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })
})
