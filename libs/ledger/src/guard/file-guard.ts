import { randomBytes } from 'node:crypto'
import {
  fsyncSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  renameSync,
  writeFileSync,
  readFileSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { LedgerError } from '../errors.js'
import { formatGivenUp, parseGivenUp, readGivenUp } from './given-up.js'
import { GuardFile, readRecord, retireRecord } from './guard-file.js'
import type { GivenUpTree, GuardedHead, HeadGuard } from './head-guard.js'
import { placeName } from './place-name.js'

/** How long a note may be in the memory of the machine only. */
const FLUSH_MS = 250
const SUFFIX = '.head'

/**
 * The guard in a folder, beside the database and not in it. Each process writes a file of its own for each tree, so there is nothing to lock and no process can
 * write an older head over a newer one of another; the newest of all files counts. Files of processes that are gone are taken away when
 * another one says at least as much.
 *
 *   DIR/<tree>.<pid>.<random>.head   one record, see record.ts
 *   DIR/given-up/<tree>.json         a tree that its operator gave up
 *   DIR/put-aside/                   records that could not be believed
 */
export class FileGuard implements HeadGuard {
  readonly dir: string
  readonly #files = new Map<string, GuardFile>()
  #timer: NodeJS.Timeout | undefined
  #problem: string | undefined
  #closed = false

  constructor(dir: string) {
    this.dir = dir
  }

  async newest(origin: string): Promise<readonly GuardedHead[]> {
    return guarded(this.dir, () => {
      const heads: GuardedHead[] = []
      for (const name of this.#namesOf(origin)) {
        const record = readRecord(join(this.dir, name))
        if (record === 'damaged') throw damaged(join(this.dir, name), origin)
        if (record !== undefined) heads.push(record)
      }
      return heads
    })
  }

  note(origin: string, head: GuardedHead): void {
    if (this.#closed) return
    try {
      const file = this.#files.get(origin)
      if (file === undefined) this.#begin(origin, head)
      else if (head.size <= file.size) return
      else if (!file.write(head)) this.#begin(origin, head)
      this.#problem = undefined
      this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref()
    } catch (error) {
      this.#problem = `the newest checkpoint cannot be written to the guard: ${reason(error)}`
    }
  }

  ahead(origin: string, size: bigint): GuardedHead | undefined {
    try {
      const own = this.#files.get(origin)?.path
      let newest: GuardedHead | undefined
      for (const name of this.#namesOf(origin)) {
        const path = join(this.dir, name)
        if (path === own) continue
        const record = readRecord(path)
        if (typeof record === 'object' && record.size > (newest?.size ?? size)) newest = record
      }
      return newest
    } catch (error) {
      this.#problem = `the guard cannot be read: ${reason(error)}`
      return undefined
    }
  }

  async origins(): Promise<readonly string[]> {
    return guarded(this.dir, () => {
      const found = new Set<string>()
      for (const name of namesIn(this.dir)) {
        if (!name.endsWith(SUFFIX)) continue
        const record = readRecord(join(this.dir, name))
        // The first line of a checkpoint is its tree's origin.
        const origin = typeof record === 'object' ? record.note.slice(0, Math.max(0, record.note.indexOf('\n'))) : ''
        if (origin !== '' && name.startsWith(`${placeName(origin)}.`)) found.add(origin)
      }
      const folder = join(this.dir, 'given-up')
      for (const name of namesIn(folder)) {
        const tree = name.endsWith('.json') ? readGivenUp(readFileSync(join(folder, name), 'utf8')) : undefined
        if (tree !== undefined && name === `${placeName(tree.origin)}.json`) found.add(tree.origin)
      }
      return [...found]
    })
  }

  async givenUp(origin: string): Promise<GivenUpTree | undefined> {
    const path = this.#givenUpPath(origin)
    return guarded(this.dir, () => {
      let text: string
      try {
        text = readFileSync(path, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      return parseGivenUp(text, origin) ?? fail(damaged(path, origin))
    })
  }

  async giveUp(tree: GivenUpTree): Promise<void> {
    const before = await this.givenUp(tree.origin)
    // Given up once, it stays given up for the first reason; what was found lost since is added.
    const all = before ? { ...before, lost: [...new Set([...before.lost, ...tree.lost])] } : tree
    guarded(this.dir, () => {
      const path = this.#givenUpPath(tree.origin)
      const folder = join(this.dir, 'given-up')
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const temporary = `${path}.${process.pid}.tmp`
      writeFileSync(temporary, formatGivenUp(all), { mode: 0o600, flush: true })
      renameSync(temporary, path)
      syncFolder(folder)
      this.#files.get(tree.origin)?.close()
      this.#files.delete(tree.origin)
      for (const name of this.#namesOf(tree.origin)) unlinkSync(join(this.dir, name))
      syncFolder(this.dir)
    })
  }

  async replace(origin: string, head: GuardedHead): Promise<void> {
    guarded(this.dir, () => {
      const folder = join(this.dir, 'put-aside')
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      for (const name of this.#namesOf(origin)) renameSync(join(this.dir, name), join(folder, name))
      syncFolder(folder)
      this.#begin(origin, head)
    })
  }

  inUse(origin: string): string | undefined {
    const name = this.#namesOf(origin).find(isOfLiving)
    return name === undefined ? undefined : `process ${pidOf(name)} seems to be writing ${join(this.dir, name)}`
  }

  problem(): string | undefined {
    return this.#problem
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#flush()
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
  }

  /** The first head of a tree in this process, or the first after its file was taken away. */
  #begin(origin: string, head: GuardedHead): void {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 })
    this.#files.get(origin)?.close()
    this.#files.delete(origin)
    const random = randomBytes(8).toString('hex')
    const path = join(this.dir, `${placeName(origin)}.${process.pid}.${random}${SUFFIX}`)
    const file = GuardFile.make(path, head)
    syncFolder(this.dir)
    this.#files.set(origin, file)
    for (const name of this.#namesOf(origin)) {
      if (join(this.dir, name) === path || isOfLiving(name)) continue
      const missed = retireRecord(join(this.dir, name), head.size)
      if (missed) file.write(missed)
    }
  }

  async #flush(): Promise<void> {
    this.#timer = undefined
    try {
      for (const file of this.#files.values()) await file.flush()
    } catch (error) {
      if (!this.#closed) this.#problem = `the guard cannot be made durable: ${reason(error)}`
    }
  }

  #namesOf(origin: string): string[] {
    const prefix = `${placeName(origin)}.`
    return namesIn(this.dir).filter((name) => name.startsWith(prefix) && name.endsWith(SUFFIX))
  }

  #givenUpPath(origin: string): string {
    return join(this.dir, 'given-up', `${placeName(origin)}.json`)
  }
}

/** What is in a folder; nothing when there is no folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Whether the process that made the file seems to live. A wrong answer costs nothing: see retireRecord(). */
function isOfLiving(name: string): boolean {
  const pid = pidOf(name)
  // In a container every start has the same number: what is of this number and not ours is of one that is gone.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function pidOf(name: string): number {
  return Number(name.split('.').at(-3))
}

/** Makes new and removed names in a folder survive a power cut. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function guarded<T>(dir: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError('LEDGER_GUARD_UNAVAILABLE', `the rollback guard in ${dir} cannot be used: ${reason(cause)}`, {
      cause,
      hint: 'make the folder readable and writable for this user, with room on its disk',
    })
  }
}

function damaged(path: string, origin: string): LedgerError {
  return new LedgerError('LEDGER_GUARD_DAMAGED', `the rollback guard of ${origin} cannot be read: ${path}`, {
    expected: 'a record whose checksum fits',
    found: 'neither of its two copies does',
    hint: 'restore the file; or, when the database is known to be the newest there is, see `touchmark log recover`',
  })
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error))
}

function fail(error: Error): never {
  throw error
}
