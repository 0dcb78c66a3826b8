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

/** The consistency proof between two sizes, the smaller one first. */
export type ConsistencyProof = (firstSize: bigint, secondSize: bigint) => Promise<readonly Uint8Array[]>

/** As long as an answer of the log may be, and longer than any note that its parser takes: what was kept can be read again. */
const NOTE_LIMIT_BYTES = 4 << 20

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
   * Asks for the log's head now (`ask` verifies it), holds it against the one that was kept before, and keeps the newer one. `proof` gives the
   * consistency proof between two sizes. Another command may keep a head meanwhile: what is there right before the writing is what the new head must
   * go on from, and a newer one stays. Two commands that both write within the same moment can still leave the older of two heads of one tree behind.
   * Throws CLI_LOG_WENT_BACK for a smaller tree, CLI_LOG_FORKED for another one, CLI_LOG_MEMORY_UNREADABLE, and what `ask` and `proof` throw; then
   * nothing is kept.
   */
  async follow(ask: () => Promise<SeenHead>, proof: ConsistencyProof): Promise<SeenHead> {
    const before = await this.#load()
    const now = await ask()
    if (before !== undefined) {
      if (now.checkpoint.size < before.checkpoint.size) throw this.#refusal('CLI_LOG_WENT_BACK', before, now)
      await this.#checkGoesOn(before, now, before, now, proof)
    }
    let kept = before
    for (;;) {
      const latest = await this.#load()
      if (latest?.note === kept?.note) break
      kept = latest
      if (latest === undefined) continue
      const [older, newer] = latest.checkpoint.size > now.checkpoint.size ? [now, latest] : [latest, now]
      await this.#checkGoesOn(older, newer, latest, now, proof)
    }
    if (kept === undefined || kept.checkpoint.size < now.checkpoint.size) await writePrivate(this.#file, now.note)
    return now
  }

  /** Throws CLI_LOG_FORKED, which names the head that is `kept` and the one of `now`. */
  async #checkGoesOn(
    older: SeenHead,
    newer: SeenHead,
    kept: SeenHead,
    now: SeenHead,
    proof: ConsistencyProof,
  ): Promise<void> {
    const { size: firstSize, root: firstRoot } = older.checkpoint
    const { size: secondSize, root: secondRoot } = newer.checkpoint
    if (firstSize === secondSize) {
      if (!equalBytes(firstRoot, secondRoot)) throw this.#refusal('CLI_LOG_FORKED', kept, now)
      return
    }
    const hashes = await proof(firstSize, secondSize)
    try {
      verifyConsistency({ firstSize, firstRoot, secondSize, secondRoot, proof: hashes })
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw this.#refusal('CLI_LOG_FORKED', kept, now, cause)
    }
  }

  /** What is kept; undefined when nothing is. A file that is there and does not hold a note of the log is not passed over: a log could hide so. */
  async #load(): Promise<SeenHead | undefined> {
    try {
      const note = utf8Decode(await readInput(this.#file, NOTE_LIMIT_BYTES))
      return { checkpoint: this.#verify(note), note }
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      if (cause.code === 'CLI_FILE_UNREADABLE' && !(await exists(this.#file))) return undefined
      throw new CliError('CLI_LOG_MEMORY_UNREADABLE', 'the checkpoint that was kept of this log cannot be read', {
        cause,
        expected: `a checkpoint that the log signed, in ${this.#file}`,
        found: `${cause.code}: ${cause.details.found ?? cause.message}`,
        hint: `Look at ${this.#file} and who may write it. Remove it only when you know how it was damaged: without it a log that went back is not found out.`,
      })
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
