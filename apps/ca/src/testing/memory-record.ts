import { hexEncode } from '@touchmark/encoding'
import { CaError } from '../errors.js'
import type { ClaimOutcome, ClaimRequest, IssuanceRecord } from '../record/issuance-record.js'

/** The record of one process, for tests of the routes; the real one is tested on PostgreSQL. */
export class MemoryRecord implements IssuanceRecord {
  readonly #claims = new Set<string>()
  readonly #principals = new Map<string, string>()
  /** True lets every claim fail. */
  away = false

  async claim(request: ClaimRequest): Promise<ClaimOutcome> {
    if (this.away) throw new CaError('CA_RECORD_UNAVAILABLE', 'as told')
    const key = hexEncode(request.spkiSha256)
    const principal = hexEncode(request.principalSha256)
    const known = this.#principals.get(key) ?? principal
    this.#principals.set(key, known)
    if (known !== principal && !request.bound) return { outcome: 'key-of-another' }
    const pair = `${hexEncode(request.tokenSha256)} ${key}`
    if (this.#claims.has(pair)) return { outcome: 'replayed' }
    this.#claims.add(pair)
    return { outcome: 'claimed', claim: { release: async () => void this.#claims.delete(pair) } }
  }

  clear(): void {
    this.#claims.clear()
    this.#principals.clear()
  }
}
