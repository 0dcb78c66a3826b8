import type { Clock } from '@touchmark/clock'
import { CaError } from '../errors.js'
import type { IssuerDocument, IssuerSource, MatchedIssuer } from './issuer-source.js'
import { algorithmsOf, KeySet } from './key-set.js'

/** Keys as fetched at one time. */
export interface FetchedKeys {
  readonly algorithms: readonly string[]
  readonly keys: KeySet
}

interface Held extends FetchedKeys {
  readonly document: IssuerDocument
  readonly discoveredAt: number
  readonly fetchedAt: number
}

const MINUTE = 60_000
/** One deadline for discovery and keys together. */
const DEADLINE_MS = 10_000
/** Keys are fetched again when they are this old, so that one that was taken back is not trusted for long. */
const FRESH_MS = 15 * MINUTE
/** An issuer that does not answer is believed by its last keys for this long. */
const KEPT_MS = 24 * 60 * MINUTE
const DOCUMENT_FRESH_MS = 60 * MINUTE
/** A token with an unknown `kid` costs its sender nothing; it may not make us ask an issuer more often than this. */
const RETRY_MS = 10_000
const MAX_WILDCARD_ISSUERS = 100
const MAX_REMEMBERED_ATTEMPTS = 1_000
/** Wildcard issuers asked at once. Fixed ones are not counted: strangers must not keep them from being asked. */
const MAX_WILDCARD_FETCHES = 16

/** The keys of all issuers: fetched when first asked for, kept, fetched again when old or when a token names an unknown one. */
export class IssuerKeys {
  readonly #source: IssuerSource
  readonly #clock: Clock
  readonly #fixed = new Map<string, Held>()
  /** In the order of use, the oldest first. */
  readonly #wildcard = new Map<string, Held>()
  readonly #attempts = new Map<string, number>()
  readonly #running = new Map<string, Promise<Held>>()
  #wildcardFetches = 0

  constructor(source: IssuerSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** The issuer's keys, from memory when they are fresh enough. Throws CA_ISSUER_UNAVAILABLE. */
  async get(issuer: MatchedIssuer): Promise<FetchedKeys> {
    const held = this.#held(issuer)
    const age = held === undefined ? 0 : this.#ageOf(held.fetchedAt)
    if (held !== undefined && age < FRESH_MS) return held
    if (this.#triedLately(issuer) && !this.#running.has(issuer.url)) {
      if (held !== undefined && age < KEPT_MS) return held
      throw new CaError('CA_ISSUER_UNAVAILABLE', `${issuer.url} did not answer just now`)
    }
    try {
      return await this.#load(issuer)
    } catch (error) {
      if (held !== undefined && age < KEPT_MS && error instanceof CaError) return held
      throw error
    }
  }

  /** Newer keys than `seen`, when the issuer may be asked; undefined when it was asked a moment ago or does not answer. */
  async refresh(issuer: MatchedIssuer, seen: FetchedKeys): Promise<FetchedKeys | undefined> {
    const held = this.#held(issuer)
    if (held !== undefined && held !== seen) return held
    if (this.#triedLately(issuer) && !this.#running.has(issuer.url)) return undefined
    try {
      return await this.#load(issuer)
    } catch (error) {
      if (error instanceof CaError) return undefined
      throw error
    }
  }

  #ageOf(time: number): number {
    // A clock that was set back makes ages negative: then nothing is known of the age.
    return Math.abs(this.#clock.now().getTime() - time)
  }

  #triedLately(issuer: MatchedIssuer): boolean {
    const last = this.#attempts.get(issuer.url)
    return last !== undefined && this.#ageOf(last) < RETRY_MS
  }

  #held(issuer: MatchedIssuer): Held | undefined {
    if (!issuer.config.wildcard) return this.#fixed.get(issuer.url)
    const held = this.#wildcard.get(issuer.url)
    if (held !== undefined) {
      this.#wildcard.delete(issuer.url)
      this.#wildcard.set(issuer.url, held)
    }
    return held
  }

  #keep(issuer: MatchedIssuer, held: Held): void {
    if (!issuer.config.wildcard) return void this.#fixed.set(issuer.url, held)
    this.#wildcard.delete(issuer.url)
    this.#wildcard.set(issuer.url, held)
    if (this.#wildcard.size > MAX_WILDCARD_ISSUERS) this.#wildcard.delete(this.#wildcard.keys().next().value!)
  }

  /** One fetch at a time for each issuer; all who wait share it. */
  #load(issuer: MatchedIssuer): Promise<Held> {
    const running = this.#running.get(issuer.url)
    if (running !== undefined) return running
    const counted = issuer.config.wildcard ? 1 : 0
    if (counted === 1 && this.#wildcardFetches >= MAX_WILDCARD_FETCHES) {
      return Promise.reject(new CaError('CA_ISSUER_UNAVAILABLE', 'too many issuers are being asked at once'))
    }
    this.#attempts.delete(issuer.url)
    this.#attempts.set(issuer.url, this.#clock.now().getTime())
    if (this.#attempts.size > MAX_REMEMBERED_ATTEMPTS) this.#attempts.delete(this.#attempts.keys().next().value!)
    this.#wildcardFetches += counted
    const loading = this.#fetch(issuer).finally(() => {
      this.#wildcardFetches -= counted
      this.#running.delete(issuer.url)
    })
    this.#running.set(issuer.url, loading)
    return loading
  }

  async #fetch(issuer: MatchedIssuer): Promise<Held> {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const held = this.#held(issuer)
    const known = held !== undefined && this.#ageOf(held.discoveredAt) < DOCUMENT_FRESH_MS ? held : undefined
    const document = known?.document ?? (await this.#source.discover(issuer, signal))
    const discoveredAt = known?.discoveredAt ?? this.#clock.now().getTime()
    const keys = new KeySet(await this.#source.fetchKeys(issuer, document, signal))
    const fetchedAt = this.#clock.now().getTime()
    const fetched = { document, discoveredAt, fetchedAt, algorithms: algorithmsOf(document.algorithms), keys }
    this.#keep(issuer, fetched)
    return fetched
  }
}
