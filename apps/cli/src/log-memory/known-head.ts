import { join } from 'node:path'
import { equalBytes, hexEncode, utf8Decode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { verifyConsistency } from '@touchmark/merkle'
import type { Checkpoint } from '@touchmark/tlog'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exists, readInput, writePrivate } from '../files.js'

export interface SeenHead {
  readonly checkpoint: Checkpoint
  /** The signed note: with another one of the same log it is evidence that anybody can check. */
  readonly note: string
}

const NOTE_LIMIT_BYTES = 64 << 10

/**
 * The newest checkpoint of a log that this user has seen, kept from one command to the next: a log that shows one tree today and another tomorrow
 * is found out by who remembers (reliability V9; C2SP tlog-witness asks the same of a witness).
 */
export class KnownHead {
  readonly #file: string
  readonly #verify: (note: string) => Checkpoint

  /** `verify` reads a note with the trusted key of the log. */
  constructor(context: CliContext, logId: Uint8Array, verify: (note: string) => Checkpoint) {
    this.#file = join(context.home, 'heads', `${hexEncode(logId)}.checkpoint`)
    this.#verify = verify
  }

  /**
   * Compares a verified head with the one that was seen before, and keeps the newer one. `proof` gives the consistency proof between two sizes.
   * Throws CLI_LOG_WENT_BACK for a smaller tree, CLI_LOG_FORKED for another one, and what `proof` throws; then nothing is kept.
   */
  async follow(
    now: SeenHead,
    proof: (firstSize: bigint, secondSize: bigint) => Promise<readonly Uint8Array[]>,
  ): Promise<void> {
    const before = await this.#load()
    const { size, root } = now.checkpoint
    if (before !== undefined) {
      const { size: firstSize, root: firstRoot } = before.checkpoint
      if (size < firstSize) throw this.#refusal('CLI_LOG_WENT_BACK', before, now)
      if (size === firstSize) {
        if (!equalBytes(root, firstRoot)) throw this.#refusal('CLI_LOG_FORKED', before, now)
        return
      }
      const hashes = await proof(firstSize, size)
      try {
        verifyConsistency({ firstSize, firstRoot, secondSize: size, secondRoot: root, proof: hashes })
      } catch (cause) {
        if (!isCodedError(cause)) throw cause
        throw this.#refusal('CLI_LOG_FORKED', before, now, cause)
      }
    }
    await writePrivate(this.#file, now.note)
  }

  /** A kept note that cannot be read, or is not the log's, is as good as none. */
  async #load(): Promise<SeenHead | undefined> {
    if (!(await exists(this.#file))) return undefined
    try {
      const note = utf8Decode(await readInput(this.#file, NOTE_LIMIT_BYTES))
      return { checkpoint: this.#verify(note), note }
    } catch (error) {
      if (!isCodedError(error)) throw error
      return undefined
    }
  }

  #refusal(code: 'CLI_LOG_WENT_BACK' | 'CLI_LOG_FORKED', before: SeenHead, now: SeenHead, cause?: unknown): CliError {
    const message =
      code === 'CLI_LOG_WENT_BACK'
        ? 'the log shows a smaller tree than it did before'
        : 'the log does not show that its tree goes on from the one it showed before'
    const describe = ({ checkpoint: { size, root } }: SeenHead): string => `${size} entries, root ${hexEncode(root)}`
    return new CliError(code, message, {
      ...(cause === undefined ? {} : { cause }),
      expected: `what goes on from ${describe(before)}`,
      found: describe(now),
      hint: `Keep ${this.#file}: with the log's checkpoint of now it is evidence, signed by the log. Ask who runs the log; if a restored database was announced, remove that file.`,
    })
  }
}
