import type { V2Logs } from '@touchmark/app-log'
import { isCodedError } from '@touchmark/errors'
import type { Log } from '@touchmark/ledger'
import { hostNameOf } from './host-name.js'
import type { ShardRow } from './shard-rows.js'

/** A shard that this process serves. */
export interface Shard {
  readonly row: ShardRow
  readonly log: Log
}

export interface ShardsOptions {
  readonly read: () => Promise<ShardRow[]>
  /** Opens a shard's tree with its key. */
  readonly open: (row: ShardRow) => Promise<Log>
  /** Is told once of each shard that cannot be opened, and when the table cannot be read. */
  readonly report: (error: unknown, origin: string | undefined) => void
}

/** How soon a process follows a rollover or a freeze that another one made. */
export const FOLLOW_MS = 500

/**
 * The shards of the signature logs as this process serves them. The table is read again and again, so a shard that a command has made is opened, and one that it
 * has frozen refuses entries, in every process within a second. Requests find their shard by stored names only.
 */
export class Shards implements V2Logs {
  readonly #options: ShardsOptions
  #served: readonly Shard[] = []
  #byHost: ReadonlyMap<string, Log> = new Map()
  /** The shard that clients are told to write to. */
  #writable: Log | undefined
  #problems: ReadonlyMap<string, string> = new Map()
  #state = ''
  #generation = 0
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined

  private constructor(options: ShardsOptions) {
    this.#options = options
  }

  /** Opens every shard that is stored; throws what the first that cannot be opened throws. Follows the table from then on. */
  static async open(options: ShardsOptions): Promise<Shards> {
    const shards = new Shards(options)
    await shards.#read({ strict: true })
    shards.#timer = setInterval(() => void shards.refresh(), FOLLOW_MS)
    shards.#timer.unref()
    return shards
  }

  /** In the order in which they became active; prepared ones last. */
  get served(): readonly Shard[] {
    return this.#served
  }

  /** Another number after each change. */
  get generation(): number {
    return this.#generation
  }

  /** Which shard this process cannot serve, and why. */
  problem(): string | undefined {
    const [first] = this.#problems
    return first === undefined ? undefined : `${first[0]}: ${first[1]}`
  }

  all(): readonly Log[] {
    return this.#served.filter(({ row }) => row.kind === 'signature-v2').map(({ log }) => log)
  }

  forHost(host: string | undefined): Log {
    // A proxy that does not pass the name on, or a rollover that this process has not read of yet: what is written there must not be refused.
    if (this.#byHost.size === 1) return this.#writable!
    return this.#byHost.get(hostNameOf(host)) ?? this.#writable!
  }

  /** Reads the table now. Resolves after a reading that began after the call; never rejects. */
  refresh(): Promise<void> {
    if (this.#reading === undefined) return this.#start()
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined
      return this.#start()
    })
    return this.#next
  }

  /** Lets go of the trees; the last answers have been given. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#next
    await this.#reading
    await Promise.all(this.#served.map(({ log }) => log.close()))
  }

  #start(): Promise<void> {
    this.#reading = this.#read({ strict: false })
      .catch((error: unknown) => this.#options.report(error, undefined))
      .finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #read({ strict }: { strict: boolean }): Promise<void> {
    const known = new Map(this.#served.map(({ row, log }) => [row.origin, log]))
    const problems = new Map<string, string>()
    const served: Shard[] = []
    for (const row of await this.#options.read()) {
      try {
        const log = known.get(row.origin) ?? (await this.#options.open(row))
        served.push({ row, log })
        // The log finds out by reading its row.
        if (row.state === 'frozen' && log.state !== 'frozen') await log.checkpoint()
      } catch (error) {
        if (strict) {
          await Promise.all(served.map(({ log }) => log.close()))
          throw error
        }
        const why = isCodedError(error) ? `${error.code} ${error.message}` : 'it cannot be opened'
        if (this.#problems.get(row.origin) !== why) this.#options.report(error, row.origin)
        problems.set(row.origin, why)
      }
    }
    this.#problems = problems
    this.#take(served)
  }

  #take(served: readonly Shard[]): void {
    this.#served = served
    const state = served
      .map(({ row: r }) => [r.origin, r.activeFrom?.getTime(), r.frozenAt?.getTime()].join())
      .join('\n')
    if (state === this.#state) return
    this.#state = state
    this.#generation++
    const v2 = served.filter(({ row }) => row.kind === 'signature-v2')
    this.#byHost = new Map(v2.map(({ row, log }) => [row.origin, log]))
    this.#writable = v2.filter(({ row }) => row.activeFrom !== undefined).at(-1)?.log
  }
}
