import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { decodeRecord, encodeSlot, RECORD_BYTES, SLOT_BYTES } from './record.js'
import type { GuardedHead } from './head-guard.js'

const flush = promisify(fdatasync)

/** One record of one tree in a file that this process alone writes. */
export class GuardFile {
  readonly path: string
  #fd: number
  #slot: 0 | 1 = 0
  #size: bigint
  #unflushed = false

  private constructor(path: string, fd: number, size: bigint) {
    this.path = path
    this.#fd = fd
    this.#size = size
  }

  /** Makes the file, whole and durable, with this head in it. Throws what the file system throws. */
  static make(path: string, head: GuardedHead): GuardFile {
    const bytes = new Uint8Array(RECORD_BYTES)
    bytes.set(encodeSlot(head))
    const temporary = `${path}.tmp`
    const fd = openSync(temporary, 'wx+', 0o600)
    try {
      writeSync(fd, bytes, 0, bytes.length, 0)
      fsyncSync(fd)
      renameSync(temporary, path)
    } catch (error) {
      closeSync(fd)
      unlinkQuietly(temporary)
      throw error
    }
    return new GuardFile(path, fd, head.size)
  }

  /** The size of the head that was written last. */
  get size(): bigint {
    return this.#size
  }

  /**
   * Writes the head over the older slot: survives the death of this process at once, and that of the machine after {@link flush}. Gives false when the file
   * was taken away meanwhile: whoever did that has not seen this head, and another file must be made. Throws what the file system throws.
   */
  write(head: GuardedHead): boolean {
    const slot = encodeSlot(head)
    const at = this.#slot === 0 ? 1 : 0
    writeSync(this.#fd, slot, 0, slot.length, at * SLOT_BYTES)
    this.#slot = at
    this.#size = head.size
    this.#unflushed = true
    return fstatSync(this.#fd).nlink > 0
  }

  async flush(): Promise<void> {
    if (!this.#unflushed) return
    this.#unflushed = false
    try {
      await flush(this.#fd)
    } catch (error) {
      this.#unflushed = true
      throw error
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Reads a record that any process may be writing. Undefined when the file is gone. */
export function readRecord(path: string): GuardedHead | 'damaged' | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return readFrom(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Takes away the record of a process that is gone, if it is still there, when it says no more than `size`. A process that was alive after all finds out with its next write; what
 * it wrote until then is read once more and given back.
 */
export function retireRecord(path: string, size: bigint): GuardedHead | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const before = readFrom(fd)
    if (before === 'damaged' || before.size > size) return undefined
    // Of several that begin at once, another may have been first: it says as much as the record did.
    unlinkQuietly(path)
    const after = readFrom(fd)
    return after !== 'damaged' && after.size > size ? after : undefined
  } finally {
    closeSync(fd)
  }
}

function readFrom(fd: number): GuardedHead | 'damaged' {
  // A slot is written while it is read, at times: it is the older one, and the other stands. A second look settles which.
  for (let look = 0; ; look++) {
    const bytes = new Uint8Array(RECORD_BYTES)
    const length = readSync(fd, bytes, 0, RECORD_BYTES, 0)
    const record = length === RECORD_BYTES ? decodeRecord(bytes) : 'damaged'
    if (record !== 'damaged') return record.newest
    if (look === 2) return 'damaged'
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone, or nobody reads more out of it than stands elsewhere: in nobody's way.
  }
}
