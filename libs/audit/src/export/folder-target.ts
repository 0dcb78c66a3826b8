import { randomBytes } from 'node:crypto'
import { access, mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equalBytes } from '@touchmark/encoding'
import { AuditError } from '../errors.js'
import { CHECKPOINT, type ExportTarget } from './export-target.js'

const TEMPORARY = '.tmp'

/** A folder as the target of an export. Each file is written beside its place, synced and renamed, and the rename is synced with its folder. */
export class FolderTarget implements ExportTarget {
  readonly name: string

  constructor(folder: string) {
    this.name = folder
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return absent(readFile(join(this.name, path)))
  }

  async has(path: string): Promise<boolean> {
    return (await absent(access(join(this.name, path)).then(() => true))) === true
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.name, path)
    const temporary = `${file}.${randomBytes(6).toString('hex')}${TEMPORARY}`
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeSynced(temporary, bytes)
      await rename(temporary, file)
      await syncFolder(dirname(file))
    } catch (cause) {
      await unlink(temporary).catch(() => undefined)
      throw unwritable(file, cause)
    }
  }

  async replaceCheckpoint(note: Uint8Array, before: Uint8Array | undefined): Promise<void> {
    const now = await this.read(CHECKPOINT)
    const same = now === undefined || before === undefined ? now === before : equalBytes(now, before)
    if (!same) {
      throw new AuditError(
        'AUDIT_EXPORT_REFUSED',
        `another exporter has written the checkpoint in ${this.name} meanwhile`,
      )
    }
    await this.write(CHECKPOINT, note)
  }

  async isEmpty(): Promise<boolean> {
    return ((await absent(readdir(this.name))) ?? []).filter((name) => !name.endsWith(TEMPORARY)).length === 0
  }

  async removePartials(path: string): Promise<void> {
    await rm(join(this.name, `${path}.p`), { recursive: true, force: true })
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function absent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unwritable('the target', cause)
  }
}

function unwritable(path: string, cause: unknown): AuditError {
  const found = cause instanceof Error ? cause.message : String(cause)
  return new AuditError('AUDIT_EXPORT_FAILED', `${path} cannot be read or written`, { cause, found })
}
