import type { Clock } from '@touchmark/clock'
import type { Database } from '@touchmark/postgres'
import type { Adapter, AdapterPayload } from 'oidc-provider'

type Row = {
  payload: AdapterPayload
  consumed_at: Date | null
}

/** What oidc-provider asks of its storage, on PostgreSQL: several processes may serve one login. */
export class RecordStore implements Adapter {
  readonly #db: Database
  readonly #clock: Clock
  readonly #kind: string

  constructor(db: Database, clock: Clock, kind: string) {
    this.#db = db
    this.#clock = clock
    this.#kind = kind
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds: number): Promise<void> {
    const now = this.#clock.now()
    const expires = new Date(now.getTime() + expiresInSeconds * 1000)
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
    await this.#db.query('delete from demo_issuer_records where expires_at < $1', [now])
    await this.#db.query(
      `insert into demo_issuer_records (kind, id, payload, grant_id, user_code, uid, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (kind, id) do update set payload = excluded.payload, grant_id = excluded.grant_id, user_code = excluded.user_code,
         uid = excluded.uid, expires_at = excluded.expires_at`,
      [
        this.#kind,
        id,
        JSON.stringify(payload),
        text(payload.grantId),
        text(payload.userCode),
        text(payload.uid),
        expires,
      ],
    )
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return this.#one(
      'select payload, consumed_at from demo_issuer_records where kind = $1 and expires_at > $2 and id = $3',
      id,
    )
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#one(
      'select payload, consumed_at from demo_issuer_records where kind = $1 and expires_at > $2 and user_code = $3',
      userCode,
    )
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#one(
      'select payload, consumed_at from demo_issuer_records where kind = $1 and expires_at > $2 and uid = $3',
      uid,
    )
  }

  async consume(id: string): Promise<void> {
    await this.#db.query('update demo_issuer_records set consumed_at = $3 where kind = $1 and id = $2', [
      this.#kind,
      id,
      this.#clock.now(),
    ])
  }

  async destroy(id: string): Promise<void> {
    await this.#db.query('delete from demo_issuer_records where kind = $1 and id = $2', [this.#kind, id])
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#db.query('delete from demo_issuer_records where grant_id = $1', [grantId])
  }

  async #one(sql: string, key: string): Promise<AdapterPayload | undefined> {
    const row = (await this.#db.query<Row>(sql, [this.#kind, this.#clock.now(), key]))[0]
    if (row === undefined) return undefined
    return row.consumed_at === null
      ? row.payload
      : { ...row.payload, consumed: Math.floor(new Date(row.consumed_at).getTime() / 1000) }
  }
}
