import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, chown, link, lstat, mkdir, readFile, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PostgresError } from '../errors.js'
import type { Account } from './account.js'
import { canEnter, serverAccount } from './account.js'
import type { Binaries } from './binaries.js'
import { makeOwnFolder, syncFolder, systemFolders, writeSecretFile } from './folders.js'
import { removeOrphans } from './orphans.js'
import { isRunning } from './postmaster.js'
import { SERVER_ENVIRONMENT } from './settings.js'

/**
 * Where a cluster lies.
 *
 *   dataDir/location.json         only when the cluster lies elsewhere: `{ "place": "/var/lib/touchmark/clusters/…" }`
 *   place/cluster/data/           PostgreSQL's data folder, owned by the account that the server runs as
 *   place/cluster/passwords.json  the generated passwords, readable by us only
 *   place/server.log              what the server says
 *
 * `place` is dataDir itself, unless we are root and the server's account cannot get there. It is then a folder named by
 * a hash of dataDir's real path and a random part, so that a dataDir that was emptied never finds an old database.
 * A pointer whose place is gone is refused: a fresh database in its stead would look like a loss that never happened.
 */
export interface Place {
  path: string
  /** PostgreSQL's data folder; exists after makeCluster(). */
  dataFolder: string
  account: Account
}

export interface Passwords {
  /** Of `postgres`, the superuser. */
  superuser: string
  /** Of `touchmark`, the owner of the database of that name and nothing else. */
  owner: string
}

const POINTER = 'location.json'

/** Finds the place of dataDir's cluster, or chooses one. */
export async function findPlace(
  dataDir: string,
  user: string | undefined,
  log: (line: string) => void,
): Promise<Place> {
  const wanted = await serverAccount(user)
  const real = await makeDataDir(dataDir, wanted)
  if (await exists(join(real, 'cluster'))) return inspectPlace(real, wanted)
  const pointed = await readPointer(real)
  if (pointed !== undefined) return inspectPlace(pointed, wanted)
  if (!wanted.other || (await canEnter(real, wanted))) return placeAt(real, wanted)
  const place = await choosePlace(real, log)
  log(`${wanted.name} cannot enter ${real}: the database lies in ${place}`)
  return placeAt(place, wanted)
}

function placeAt(path: string, account: Account): Place {
  return { path, dataFolder: join(path, 'cluster', 'data'), account }
}

async function makeDataDir(dataDir: string, account: Account): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: account.other ? 0o711 : 0o700 })
  const real = await realpath(dataDir)
  const { uid, mode } = await stat(real)
  if (account.other && uid === process.getuid?.() && (mode & 0o001) === 0) await chmod(real, (mode & 0o777) | 0o011)
  return real
}

async function inspectPlace(path: string, wanted: Account): Promise<Place> {
  const place = placeAt(path, wanted)
  const found = await stat(place.dataFolder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new PostgresError('POSTGRES_DATA_INVALID', `the database in ${path} cannot be read`, { cause: error })
  })
  if (!found) return place
  // Whoever made the cluster, its owner is the one who can run it.
  if (wanted.other) place.account = { name: `user ${found.uid}`, uid: found.uid, gid: found.gid, other: true }
  else if (found.uid !== wanted.uid) {
    throw new PostgresError('POSTGRES_DATA_INVALID', `the database in ${path} belongs to user ${found.uid}`, {
      hint: `start as that user or as root, or choose another folder`,
    })
  }
  if (found.uid === 0 || !(await canEnter(place.dataFolder, place.account))) {
    throw new PostgresError('POSTGRES_DATA_INVALID', `${place.account.name} cannot enter ${place.dataFolder}`, {
      hint: 'let it enter every folder above (chmod o+x), or move the data to where it can',
    })
  }
  return place
}

async function readPointer(dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, POINTER)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new PostgresError('POSTGRES_DATA_INVALID', `${path} cannot be read`, { cause: error })
  })
  if (text === undefined) return undefined
  const place = placeOf(text)
  if (place !== undefined && (await exists(place))) return place
  throw new PostgresError(
    'POSTGRES_DATA_INVALID',
    `${path} names ${place ?? 'no folder'}, where the database should be`,
    {
      hint: `bring that folder back; or, to begin with an empty database, remove ${path}`,
    },
  )
}

function placeOf(text: string): string | undefined {
  try {
    const { place } = JSON.parse(text) as { place?: unknown }
    return typeof place === 'string' && place.startsWith('/') ? place : undefined
  } catch {
    return undefined
  }
}

/** Makes a place outside dataDir and points to it. Of several processes at once, the first to point wins. */
async function choosePlace(dataDir: string, log: (line: string) => void): Promise<string> {
  const name = `${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}-${randomBytes(4).toString('hex')}`
  const reasons: string[] = []
  for (const base of systemFolders(tmpdir())) {
    try {
      await makeOwnFolder(base, 0o711)
      await makeOwnFolder(join(base, 'clusters'), 0o711)
      await removeOrphans(join(base, 'clusters'), log)
      const place = join(base, 'clusters', name)
      await makeOwnFolder(place, 0o711)
      await writeSecretFile(join(place, 'origin'), `${dataDir}\n`)
      return await pointTo(dataDir, place)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new PostgresError('POSTGRES_DATA_INVALID', `no place for the database: ${reasons.join('; ')}`)
}

async function pointTo(dataDir: string, place: string): Promise<string> {
  const pointer = join(dataDir, POINTER)
  const making = `${pointer}.${randomBytes(6).toString('hex')}`
  await writeSecretFile(making, `${JSON.stringify({ place })}\n`)
  try {
    // A link is made whole or not at all, and never over another one.
    await link(making, pointer)
    await syncFolder(dataDir)
    return place
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    await rm(place, { recursive: true, force: true })
    return (await readPointer(dataDir)) ?? place
  } finally {
    await rm(making, { force: true })
  }
}

/**
 * Makes the cluster if there is none: aside, then renamed, so a crash leaves none or a whole one, and of several
 * processes at once one wins. Data checksums on, UTF-8, the C locale, passwords (SCRAM) for every connection.
 */
export async function makeCluster(place: Place, binaries: Binaries): Promise<void> {
  if (await exists(place.dataFolder)) return
  await removeUnfinished(place.path)
  const { account } = place
  const making = join(place.path, `cluster.making-${process.pid}-${randomBytes(4).toString('hex')}`)
  const data = join(making, 'data')
  const passwordFile = join(making, 'initdb-password')
  const passwords: Passwords = { superuser: newPassword(), owner: newPassword() }
  await mkdir(making)
  await chmod(making, account.other ? 0o711 : 0o700)
  try {
    await mkdir(data, { mode: 0o700 })
    await writeSecretFile(passwordFile, `${passwords.superuser}\n`)
    if (account.other) for (const path of [data, passwordFile]) await chown(path, account.uid, account.gid)
    await runInitdb(binaries.initdb, data, passwordFile, account)
    await rm(passwordFile)
    await writeSecretFile(join(making, 'passwords.json'), `${JSON.stringify(passwords)}\n`)
    await rename(making, join(place.path, 'cluster')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await syncFolder(place.path)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

async function runInitdb(initdb: string, data: string, passwordFile: string, account: Account): Promise<void> {
  const options = ['-D', data, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const locale = ['--encoding=UTF8', '--no-locale', '--data-checksums', '--text-search-config=simple']
  try {
    await promisify(execFile)(initdb, [...options, ...locale], {
      cwd: '/',
      env: { ...SERVER_ENVIRONMENT },
      ...(account.other ? { uid: account.uid, gid: account.gid } : {}),
    })
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error).trim()
    const full = /No space left on device/.test(said)
    throw new PostgresError(
      full ? 'POSTGRES_DISK_FULL' : 'POSTGRES_START_FAILED',
      `initdb failed as ${account.name}: ${said.split('\n').slice(-3).join(' ')}`,
      { cause: error, hint: 'set DATABASE_URL to use a PostgreSQL of your own' },
    )
  }
}

/** What a process that was killed while it made a cluster has left. */
async function removeUnfinished(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = /^cluster\.making-(\d+)-/.exec(name)?.[1]
    if (pid && !(await isRunning(Number(pid)))) await rm(join(place, name), { recursive: true, force: true })
  }
}

/** Reads the passwords, and checks that these programs can run this cluster. */
export async function readCluster(place: Place, binaries: Binaries): Promise<Passwords> {
  let version: string
  let passwords: Partial<Passwords>
  try {
    version = (await readFile(join(place.dataFolder, 'PG_VERSION'), 'utf8')).trim()
    passwords = JSON.parse(await readFile(join(place.path, 'cluster', 'passwords.json'), 'utf8')) as Partial<Passwords>
  } catch (error) {
    throw new PostgresError('POSTGRES_DATA_INVALID', `the database in ${place.path} cannot be read`, {
      cause: error,
      hint: 'restore the folder from a backup, with its owners and modes',
    })
  }
  if (version !== String(binaries.majorVersion)) {
    throw new PostgresError('POSTGRES_DATA_INVALID', `the database in ${place.path} is of PostgreSQL ${version}`, {
      expected: `PostgreSQL ${binaries.majorVersion}`,
      hint: 'dump it with the release that made it, and load the dump into a new folder',
    })
  }
  const { superuser, owner } = passwords
  if (typeof superuser === 'string' && typeof owner === 'string') return { superuser, owner }
  throw new PostgresError('POSTGRES_DATA_INVALID', `the passwords of the database in ${place.path} are missing`)
}

/** Removes the cluster of dataDir and, if it is then empty, dataDir. The caller has stopped the server. */
export async function removeCluster(dataDir: string): Promise<void> {
  const real = await realpath(dataDir)
  const pointed = await readPointer(real)
  const place = pointed ?? real
  for (const name of ['cluster', 'server.log', 'server.log.1', 'origin']) {
    await rm(join(place, name), { recursive: true, force: true })
  }
  if (pointed !== undefined) await rm(pointed, { recursive: true, force: true })
  await rm(join(real, POINTER), { force: true })
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
