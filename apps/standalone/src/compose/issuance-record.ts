import { CaError, type Claim, type ClaimOutcome, type ClaimRequest, type IssuanceRecord } from '@touchmark/app-ca'
import type { Clock } from '@touchmark/clock'
import { randomBytes } from '@touchmark/crypto/node'
import { PostgresError, type Database } from '@touchmark/postgres'

/** A claim is kept for longer than its token lives: another process' clock may be behind. */
const SKEW_MS = 10 * 60 * 1000
const CLAIMS_PER_PURGE = 64
/** More than the claims that come between two purges, so that what is left over gets less. */
const PURGE_ROWS = 256

// One statement, one round trip. Two that run at the same moment meet at a primary key: the second waits for the first. Whose key it is may then be
// in a row that this statement's snapshot does not show: `same` is null, nothing was claimed for a CSR, and another statement sees it.
//
// synchronous_commit is off for this statement alone (it is read at the commit, which is part of it): a claim costs no wait for the disk. Nothing
// is lost by that. What a claim protects is the precertificate that comes after it, in the same database, under a commit that is flushed; the log of
// PostgreSQL is flushed and replayed in order, so a crash or a failover that forgets a claim forgets the certificate log's entry too, and then no
// SCT and no certificate were made. The same holds for a standby that a commit must wait for.
const CLAIM = `with setting as materialized (
    select set_config('synchronous_commit', 'off', true)
  ), noted as (
    insert into ca_certified_keys (spki_sha256, principal_sha256, first_at)
    select $2, $3, $6 from setting
    on conflict (spki_sha256) do nothing
    returning true as same
  ), known as (
    select coalesce(
      (select same from noted),
      (select principal_sha256 = $3 from ca_certified_keys where spki_sha256 = $2)
    ) as same
  ), claimed as (
    insert into ca_key_claims (token_sha256, spki_sha256, claim_id, expires_at)
    select $1, $2, $4, $5 from known where known.same or $7::boolean
    on conflict (token_sha256, spki_sha256) do nothing
    returning claim_id
  )
  select known.same, exists (select 1 from claimed) as claimed from known`

const RELEASE = 'delete from ca_key_claims where token_sha256 = $1 and spki_sha256 = $2 and claim_id = $3'

const PURGE = `with ended as materialized (
    select token_sha256, spki_sha256 from ca_key_claims where expires_at < $1 order by expires_at limit $2 for update skip locked
  )
  delete from ca_key_claims c using ended where c.token_sha256 = ended.token_sha256 and c.spki_sha256 = ended.spki_sha256`

type Found = {
  /** Null when another process has just noted the key. */
  same: boolean | null
  claimed: boolean
}

/** The CA's record on PostgreSQL, which all processes of an instance share. */
export class PostgresIssuanceRecord implements IssuanceRecord {
  readonly #db: Database
  readonly #clock: Clock
  readonly #report: (error: unknown) => void
  #sincePurge = 0

  /** `report` is told of what no client waits for: a release or a purge that failed. */
  constructor(db: Database, clock: Clock, report: (error: unknown) => void) {
    this.#db = db
    this.#clock = clock
    this.#report = report
  }

  async claim(request: ClaimRequest): Promise<ClaimOutcome> {
    const claimId = randomBytes(16)
    const claim: Claim = { release: () => this.#release(request, claimId) }
    const row = await this.#insert(request, claimId).catch((cause: unknown) => {
      if (!(cause instanceof PostgresError)) throw cause
      // The answer may have been lost after the commit. Nothing is issued for this claim, so it is taken back when the database can be reached.
      void claim.release()
      throw new CaError('CA_RECORD_UNAVAILABLE', `the claim was not made: ${cause.message}`, { cause })
    })
    if (++this.#sincePurge >= CLAIMS_PER_PURGE) {
      this.#sincePurge = 0
      void this.purge().catch(this.#report)
    }
    if (row.claimed) return { outcome: 'claimed', claim }
    return { outcome: row.same === true || request.bound ? 'replayed' : 'key-of-another' }
  }

  /** Forgets claims whose tokens have ended, the oldest first, at most {@link PURGE_ROWS}. */
  async purge(): Promise<void> {
    await this.#db.query(PURGE, [new Date(this.#clock.now().getTime() - SKEW_MS), PURGE_ROWS])
  }

  async #insert(request: ClaimRequest, claimId: Uint8Array): Promise<Found> {
    const { tokenSha256, spkiSha256, principalSha256, bound, expiresAt } = request
    const values = [tokenSha256, spkiSha256, principalSha256, claimId, expiresAt, this.#clock.now(), bound]
    let [row] = await this.#db.query<Found>(CLAIM, values)
    // Rows of whose a key is are never changed or deleted, so the second statement sees the one that the first ran into.
    if (row!.same === null && !row!.claimed) [row] = await this.#db.query<Found>(CLAIM, values)
    return row!
  }

  /** Only this very claim: another request may have made one of the same pair. */
  async #release({ tokenSha256, spkiSha256 }: ClaimRequest, claimId: Uint8Array): Promise<void> {
    await this.#db.query(RELEASE, [tokenSha256, spkiSha256, claimId]).catch(this.#report)
  }
}
