import { unlink } from 'node:fs/promises'
import {
  encodeState,
  MAX_STATE_BYTES,
  parseState,
  type CheckedHead,
  type CheckState,
  type CheckSubject,
} from '@touchmark/audit'
import { utf8Decode } from '@touchmark/encoding'
import { exists, readInput, writeWhole } from '../files.js'

const SAVE_EVERY_MS = 5_000

/** The file of `--resume`: what a check has done is written to it now and then, whole or not at all, and read by the next one. */
export class CheckpointFile {
  readonly #path: string
  readonly #everyMs: number
  #savedAt = performance.now()

  constructor(path: string, everyMs = SAVE_EVERY_MS) {
    this.#path = path
    this.#everyMs = everyMs
  }

  /** What an earlier check of this log left. Throws AUDIT_STATE_INVALID, AUDIT_STATE_OTHER_LOG, CLI_FILE_UNREADABLE. */
  async load(subject: CheckSubject): Promise<{ head: CheckedHead; state: CheckState } | undefined> {
    if (!(await exists(this.#path))) return undefined
    return parseState(utf8Decode(await readInput(this.#path, MAX_STATE_BYTES)), subject)
  }

  /** Writes when the last time was some seconds ago: whoever is ended by force loses no more than those. */
  async save(subject: CheckSubject, head: CheckedHead, state: () => CheckState): Promise<void> {
    if (performance.now() - this.#savedAt < this.#everyMs) return
    await writeWhole(this.#path, encodeState(subject, head, state()), { mode: 0o600, replace: true })
    this.#savedAt = performance.now()
  }

  /** The check came to its end: there is nothing to go on with. */
  async remove(): Promise<void> {
    await unlink(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}
