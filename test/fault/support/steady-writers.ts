import { isCodedError } from '@touchmark/errors'
import { checkLog, type Log } from '@touchmark/ledger'

/** What a writer may be told while the database is not well; it then sends the same entry again. */
const PASSING = ['LEDGER_UNAVAILABLE', 'LEDGER_STATE_UNKNOWN', 'LEDGER_PUSHBACK', 'LEDGER_SIGNER_FAILED']

/** Writers that go on through whatever happens, and remember what they were told. */
export class SteadyWriters {
  readonly told = new Map<string, bigint>()
  /** Refusals, by code. */
  readonly refused = new Map<string, number>()
  #running = true
  readonly #all: Promise<void>[]

  constructor(logs: readonly Log[], writersEach = 4) {
    this.#all = logs.flatMap((log, l) => Array.from({ length: writersEach }, (_, w) => this.#write(log, `${l}.${w}`)))
    // What a writer meets is thrown by stop().
    for (const writer of this.#all) writer.catch(() => undefined)
  }

  async #write(log: Log, name: string): Promise<void> {
    for (let i = 0; this.#running; i++) {
      const text = `${name} ${i}`
      while (!this.told.has(text)) {
        try {
          this.told.set(text, (await log.append({ body: new TextEncoder().encode(text) })).index)
        } catch (error) {
          if (!isCodedError(error) || !PASSING.includes(error.code)) throw error
          this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1)
          if (!this.#running) return
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
    }
  }

  /** Resolves when so many more entries were acknowledged; a writer that met what it must not rejects it. */
  async more(count: number): Promise<void> {
    const wanted = this.told.size + count
    const enough = (async () => {
      while (this.told.size < wanted) await new Promise((resolve) => setTimeout(resolve, 5))
    })()
    await Promise.race([enough, Promise.all(this.#all)])
  }

  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#all)
  }

  /** Holds everything that was told against the log. */
  async check(log: Log): Promise<{ size: bigint; lost: string[] }> {
    const { size } = await checkLog(log, { proofs: 60 })
    if (new Set(this.told.values()).size !== this.told.size) throw new Error('an index was given twice')
    const bodies = new Map<bigint, string>()
    for (let at = 0n; at < size;) {
      const entries = await log.entries(at, size)
      for (const { index, body } of entries) bodies.set(index, new TextDecoder().decode(body))
      at += BigInt(entries.length)
    }
    return { size, lost: [...this.told].filter(([text, index]) => bodies.get(index) !== text).map(([text]) => text) }
  }
}
