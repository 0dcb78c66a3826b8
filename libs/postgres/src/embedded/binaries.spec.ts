import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Account } from './account.js'
import { prepareBinaries } from './binaries.js'
import type { ServerPackage } from './binaries.js'

const ROOT = process.getuid?.() === 0
const asRoot = ROOT ? it : it.skip
const me: Account = { name: 'me', uid: process.getuid!(), gid: process.getgid!(), other: false }
const nobody: Account = { name: 'nobody', uid: 65_534, gid: 65_534, other: true }

let folder: string
let found: ServerPackage
let bases: string[]
const silent = () => undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-binaries-'))
  await chmod(folder, 0o711)
  const native = join(folder, 'package', 'native')
  await mkdir(join(native, 'bin'), { recursive: true })
  await mkdir(join(native, 'lib', 'postgresql'), { recursive: true })
  for (const name of ['bin/postgres', 'bin/initdb']) await writeFile(join(native, name), '#!/bin/sh\n', { mode: 0o755 })
  await writeFile(join(native, 'lib', 'libpq.so.5.18'), 'library')
  await writeFile(join(native, 'lib', 'libpq.a'), 'static library')
  await writeFile(join(native, 'lib', 'postgresql', 'x.so'), 'module')
  found = {
    native,
    version: '18.4.0-beta.17',
    name: 'linux-x64',
    links: [{ path: 'lib/libpq.so.5', to: 'libpq.so.5.18' }],
  }
  bases = [join(folder, 'first'), join(folder, 'second')]
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const copies = async (base: string) => (await readdir(base)).filter((name) => name.startsWith('postgres-'))
/** Shuts the package away from everyone but its owner. */
const shutAway = () => chmod(join(folder, 'package'), 0o700)

describe('prepareBinaries', () => {
  it('makes the links that npm leaves out, in place, as often and by as many as like', async () => {
    await Promise.all([1, 2, 3].map(() => prepareBinaries(found, me, bases, silent)))
    const binaries = await prepareBinaries(found, me, bases, silent)
    expect(binaries).toEqual({
      postgres: join(found.native, 'bin', 'postgres'),
      initdb: join(found.native, 'bin', 'initdb'),
      majorVersion: 18,
    })
    expect(await readlink(join(found.native, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18')
    expect(await readFile(join(found.native, 'lib', 'libpq.so.5'), 'utf8')).toBe('library')
  })

  asRoot('copies them, without what only compilers need, to where the account gets', async () => {
    await shutAway()
    const told: string[] = []
    const { postgres } = await prepareBinaries(found, nobody, bases, (line) => told.push(line))
    expect(postgres.startsWith(join(folder, 'first', 'postgres-18.4.0-beta.17-linux-x64-'))).toBe(true)
    const native = join(postgres, '..', '..')
    expect(await readlink(join(native, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18')
    expect(await readdir(join(native, 'lib'))).not.toContain('libpq.a')
    for (const path of ['.', 'bin', 'lib/postgresql', 'bin/postgres']) {
      const { uid, mode } = await lstat(join(native, path))
      expect([path, uid, mode & 0o777]).toEqual([path, 0, 0o755])
    }
    await prepareBinaries(found, nobody, bases, (line) => told.push(line))
    expect(told).toHaveLength(1)
  })

  asRoot('makes one copy when several start at once', async () => {
    await shutAway()
    const all = await Promise.all([1, 2, 3, 4].map(() => prepareBinaries(found, nobody, bases, silent)))
    expect(new Set(all.map(({ postgres }) => postgres)).size).toBe(1)
    expect(await copies(bases[0]!)).toHaveLength(1)
  })

  asRoot.each<[string, (native: string) => Promise<void>]>([
    ['truncated', (native) => truncate(join(native, 'lib', 'libpq.so.5.18'), 3)],
    ['missing', (native) => rm(join(native, 'bin', 'initdb'))],
    ['of another owner', (native) => chown(join(native, 'bin', 'postgres'), 65_534, 65_534)],
    ['writable by others', (native) => chmod(join(native, 'bin', 'postgres'), 0o777)],
    ['not executable', (native) => chmod(join(native, 'bin', 'postgres'), 0o644)],
    [
      'a link to elsewhere',
      async (native) => {
        await rm(join(native, 'lib', 'libpq.so.5'))
        await symlink('/etc/passwd', join(native, 'lib', 'libpq.so.5'))
      },
    ],
  ])('copies again when a file of the copy is %s', async (_, damage) => {
    await shutAway()
    const { postgres } = await prepareBinaries(found, nobody, bases, silent)
    const native = join(postgres, '..', '..')
    await damage(native)
    expect((await prepareBinaries(found, nobody, bases, silent)).postgres).toBe(postgres)
    const { uid, mode, size } = await lstat(postgres)
    expect([uid, mode & 0o777, size]).toEqual([0, 0o755, 10])
    expect(await readFile(join(native, 'lib', 'libpq.so.5'), 'utf8')).toBe('library')
    expect(await lstat(join(native, 'bin', 'initdb'))).toBeDefined()
    expect(await copies(bases[0]!)).toHaveLength(1)
  })

  asRoot('goes elsewhere when another user has prepared the folder, and says so when all are taken', async () => {
    await shutAway()
    await mkdir(bases[0]!)
    await chown(bases[0]!, 65_534, 65_534)
    const { postgres } = await prepareBinaries(found, nobody, bases, silent)
    expect(postgres.startsWith(bases[1]!)).toBe(true)
    await rm(bases[1]!, { recursive: true })
    await symlink(folder, bases[1]!)
    await expect(prepareBinaries(found, nobody, bases, silent)).rejects.toThrowCode('POSTGRES_BINARIES')
    await rm(bases[1]!)
    await mkdir(bases[1]!)
    await chmod(bases[1]!, 0o777)
    await expect(prepareBinaries(found, nobody, bases, silent)).rejects.toThrowCode('POSTGRES_BINARIES')
  })

  asRoot('copies for another account than its owner only when it must', async () => {
    const { postgres } = await prepareBinaries(found, nobody, bases, silent)
    expect(postgres.startsWith(found.native)).toBe(true)
  })
})
