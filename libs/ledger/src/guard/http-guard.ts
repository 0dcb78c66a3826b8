import { parseCheckpoint, parseSignedNote } from '@touchmark/tlog'
import { LedgerError } from '../errors.js'
import { formatGivenUp, MAX_GIVEN_UP_BYTES, parseGivenUp } from './given-up.js'
import type { GivenUpTree, GuardedHead, HeadGuard } from './head-guard.js'
import { placeName } from './place-name.js'

export interface HttpGuardOptions {
  /** Where the operator keeps the heads. Below it lie `<tree>.checkpoint` and `<tree>.given-up.json`. */
  readonly url: string
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Sent as a bearer token. */
  readonly token?: string
  /** A place that does not answer at start is no reason not to start; it shows in problem(). */
  readonly optional?: boolean
  /** The shortest time between two writes of a tree (default 1,000). */
  readonly intervalMs?: number
  /** How long one request may take (default 5,000). */
  readonly timeoutMs?: number
}

const MAX_NOTE_BYTES = 16 * 1024
/** Rounds of one write when others write the same head's place. */
const MAX_ROUNDS = 5

/**
 * The guard behind an HTTP address that the operator has chosen: GET and PUT of the signed checkpoint. Writes are throttled, the latest wins, and
 * never a smaller one over a larger: by ETag and If-Match where the server knows these (an object store does), else by reading right before writing.
 * What was noted within the last interval may be missing when this machine is lost.
 */
export class HttpGuard implements HeadGuard {
  readonly #options: HttpGuardOptions
  /** The newest head of each tree that has not been written yet. */
  readonly #pending = new Map<string, GuardedHead>()
  readonly #noted = new Map<string, bigint>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #problem: string | undefined
  #closed = false

  constructor(options: HttpGuardOptions) {
    this.#options = options
  }

  async newest(origin: string): Promise<readonly GuardedHead[]> {
    try {
      const found = await this.#read(origin)
      return found ? [found.head] : []
    } catch (error) {
      if (!this.#options.optional || isDamaged(error)) throw error
      this.#problem = (error as Error).message
      return []
    }
  }

  note(origin: string, head: GuardedHead): void {
    if (this.#closed || head.size <= (this.#noted.get(origin) ?? -1n)) return
    this.#noted.set(origin, head.size)
    this.#pending.set(origin, { size: head.size, note: head.note })
    this.#timer ??= setTimeout(() => void this.#writeAll(), this.#options.intervalMs ?? 1_000).unref()
  }

  ahead(): undefined {
    return undefined
  }

  async origins(): Promise<readonly string[]> {
    return []
  }

  async givenUp(origin: string): Promise<GivenUpTree | undefined> {
    const url = this.#urlOf(origin, 'given-up.json')
    try {
      const answer = await this.#get(url, MAX_GIVEN_UP_BYTES)
      if (answer === undefined) return undefined
      const tree = parseGivenUp(answer.text, origin)
      if (tree === undefined) throw damaged(url)
      return tree
    } catch (error) {
      if (!this.#options.optional || isDamaged(error)) throw error
      this.#problem = (error as Error).message
      return undefined
    }
  }

  async giveUp(tree: GivenUpTree): Promise<void> {
    const before = await this.givenUp(tree.origin)
    const all = before ? { ...before, lost: [...new Set([...before.lost, ...tree.lost])] } : tree
    await this.#put(this.#urlOf(tree.origin, 'given-up.json'), formatGivenUp(all), 'application/json')
    // Over whatever is there: the record above holds it. Of a tree that is not there at all nothing could take its place.
    if (tree.kept !== '') {
      await this.#put(this.#urlOf(tree.origin, 'checkpoint'), tree.kept, 'text/plain; charset=utf-8')
    }
    this.#pending.delete(tree.origin)
  }

  async replace(origin: string, head: GuardedHead): Promise<void> {
    const before = await this.#get(this.#urlOf(origin, 'checkpoint'), MAX_GIVEN_UP_BYTES)
    if (before) await this.#put(this.#urlOf(origin, 'put-aside'), before.text, 'text/plain; charset=utf-8')
    await this.#put(this.#urlOf(origin, 'checkpoint'), head.note, 'text/plain; charset=utf-8')
  }

  inUse(): undefined {
    return undefined
  }

  problem(): string | undefined {
    return this.#problem
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#writing
    if (this.#pending.size > 0) await this.#writeAll()
  }

  #writeAll(): Promise<void> {
    this.#timer = undefined
    this.#writing ??= this.#writePending().finally(() => {
      this.#writing = undefined
      if (this.#pending.size === 0 || this.#closed) return
      this.#timer ??= setTimeout(() => void this.#writeAll(), this.#options.intervalMs ?? 1_000).unref()
    })
    return this.#writing
  }

  async #writePending(): Promise<void> {
    let problem: string | undefined
    for (const [origin, head] of [...this.#pending]) {
      try {
        await this.#write(origin, head)
        if (this.#pending.get(origin)?.size === head.size) this.#pending.delete(origin)
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
      }
    }
    this.#problem = problem
  }

  async #write(origin: string, head: GuardedHead): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const found = await this.#read(origin)
      if (found && found.head.size >= head.size) return
      const condition: Record<string, string> = {}
      if (!found) condition['if-none-match'] = '*'
      else if (found.etag !== undefined) condition['if-match'] = found.etag
      const url = this.#urlOf(origin, 'checkpoint')
      if (await this.#put(url, head.note, 'text/plain; charset=utf-8', condition)) return
    }
    throw unavailable(this.#options.url, 'others write to it all the time')
  }

  async #read(origin: string): Promise<{ head: GuardedHead; etag: string | undefined } | undefined> {
    const url = this.#urlOf(origin, 'checkpoint')
    const answer = await this.#get(url, MAX_NOTE_BYTES)
    if (answer === undefined) return undefined
    try {
      const { size } = parseCheckpoint(parseSignedNote(answer.text).text)
      return { head: { size, note: answer.text }, etag: answer.etag }
    } catch (cause) {
      throw damaged(url, cause)
    }
  }

  async #get(url: string, limit: number): Promise<{ text: string; etag: string | undefined } | undefined> {
    return this.#ask(url, { method: 'GET' }, async (response) => {
      if (response.status === 404) return undefined
      if (response.status !== 200) throw unavailable(url, `it answers ${response.status}`)
      return { text: await readText(response, limit, url), etag: response.headers.get('etag') ?? undefined }
    })
  }

  /** False when the condition did not hold. */
  async #put(url: string, body: string, type: string, condition: Record<string, string> = {}): Promise<boolean> {
    const init = { method: 'PUT', body, headers: { 'content-type': type, ...condition } }
    return this.#ask(url, init, async (response) => {
      await response.body?.cancel()
      if (response.status === 412 || response.status === 409) return false
      if (!response.ok) throw unavailable(url, `it answers ${response.status}`)
      return true
    })
  }

  async #ask<T>(url: string, init: RequestInit, take: (response: Response) => Promise<T>): Promise<T> {
    const { fetch, token, timeoutMs = 5_000 } = this.#options
    const headers = {
      ...(init.headers as Record<string, string>),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    }
    try {
      // A redirect is an address that the operator has not chosen.
      return await take(
        await fetch(url, { ...init, headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) }),
      )
    } catch (cause) {
      if (cause instanceof LedgerError) throw cause
      throw unavailable(url, 'it does not answer', cause)
    }
  }

  #urlOf(origin: string, suffix: string): string {
    return `${this.#options.url.replace(/\/+$/, '')}/${placeName(origin)}.${suffix}`
  }
}

async function readText(response: Response, limit: number, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).length
    if (length > limit) throw damaged(url)
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isDamaged(error: unknown): boolean {
  return error instanceof LedgerError && error.code === 'LEDGER_GUARD_DAMAGED'
}

function damaged(url: string, cause?: unknown): LedgerError {
  return new LedgerError('LEDGER_GUARD_DAMAGED', `what the rollback guard holds cannot be read: ${url}`, {
    cause,
    hint: 'find out who wrote it; when the database is known to be the newest there is, see `touchmark log recover`',
  })
}

function unavailable(url: string, why: string, cause?: unknown): LedgerError {
  return new LedgerError('LEDGER_GUARD_UNAVAILABLE', `the rollback guard cannot be used, ${why}: ${url}`, {
    cause,
    retryAfterSeconds: 5,
    hint: 'bring it back; --guard-optional starts without it, and says so',
  })
}
