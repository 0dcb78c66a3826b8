import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readPassphrase } from './passphrase.js'

let dir: string
let path: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'touchmark-passphrase-'))
  path = join(dir, 'passphrase')
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

async function put(content: string | Uint8Array): Promise<void> {
  await writeFile(path, content, { mode: 0o600 })
}

describe('readPassphrase', () => {
  it('reads a file without the newline at its end', async () => {
    for (const [content, passphrase] of [
      ['secret', 'secret'],
      ['secret\n', 'secret'],
      ['secret\r\n', 'secret'],
      ['secret\n\n', 'secret\n'],
      [' se cret ', ' se cret '],
    ] as const) {
      await put(content)
      expect(await readPassphrase({ file: path })).toBe(passphrase)
    }
  })

  it('takes the file before the environment before a generated one', async () => {
    await put('from the file')
    const generateAt = join(dir, 'generated')
    expect(await readPassphrase({ file: path, env: 'from the environment', generateAt })).toBe('from the file')
    expect(await readPassphrase({ file: undefined, env: 'from the environment', generateAt })).toBe(
      'from the environment',
    )
    await expect(stat(generateAt)).rejects.toThrow('ENOENT')
  })

  it('does not fall back when the file is missing', async () => {
    await expect(readPassphrase({ file: path, env: 'x', generateAt: join(dir, 'y') })).rejects.toThrowCode(
      'KEYS_PASSPHRASE_MISSING',
    )
  })

  it('generates one of 32 random bytes, for the owner alone, once', async () => {
    const generateAt = join(dir, 'sub', 'generated')
    const first = await readPassphrase({ generateAt })
    expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await readFile(generateAt, 'utf8')).toBe(`${first}\n`)
    expect((await stat(generateAt)).mode & 0o777).toBe(0o600)
    expect((await stat(join(dir, 'sub'))).mode & 0o777).toBe(0o700)
    expect(await readPassphrase({ generateAt })).toBe(first)
    expect(await readPassphrase({ generateAt: join(dir, 'another') })).not.toBe(first)
  })

  it('generates one for all who start at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => readPassphrase({ generateAt: path })))
    expect(new Set(all).size).toBe(1)
  })

  it.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['a newline', '\n'],
    ['too long', 'x'.repeat(1025)],
    ['not UTF-8', Uint8Array.of(0xff, 0xfe)],
  ])('refuses a file that is %s', async (_what, content) => {
    await put(content)
    await expect(readPassphrase({ file: path })).rejects.toThrowCode('KEYS_PASSPHRASE_MISSING')
    await expect(readPassphrase({ generateAt: path })).rejects.toThrowCode('KEYS_PASSPHRASE_MISSING')
  })

  it('refuses a device that has no end, and a file over the limit', async () => {
    await expect(readPassphrase({ file: '/dev/zero' })).rejects.toThrowCode('KEYS_PERMISSIONS')
    await put('x'.repeat(70_000))
    await expect(readPassphrase({ file: path })).rejects.toThrowCode('KEYS_FILE_INVALID')
  })

  it('refuses an environment variable that is set and empty, and nothing at all', async () => {
    await expect(readPassphrase({ env: '' })).rejects.toThrowCode('KEYS_PASSPHRASE_MISSING')
    await expect(readPassphrase({})).rejects.toThrowCode('KEYS_PASSPHRASE_MISSING')
  })

  it.each([0o644, 0o640, 0o604])('refuses a file of mode %i', async (mode) => {
    await put('secret')
    await chmod(path, mode)
    await expect(readPassphrase({ file: path })).rejects.toThrowCode('KEYS_PERMISSIONS')
  })

  it('refuses to generate into a folder that others can write to', async () => {
    await chmod(dir, 0o777)
    await expect(readPassphrase({ generateAt: path })).rejects.toThrowCode('KEYS_PERMISSIONS')
  })
})
