import type { LogKind } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { openMaintenance, type MaintenanceOptions } from './open-maintenance.js'

/** A tree of the instance, as `touchmark log shards` tells of it. */
export interface ShardSummary {
  readonly origin: string
  readonly kind: LogKind
  /** prepared: its key is published and nothing is written to it yet. */
  readonly state: 'prepared' | 'active' | 'frozen'
  readonly size: bigint
  /** Where clients reach it; the certificate log's is under the instance's own. */
  readonly url: string
  readonly from: Date | undefined
  readonly until: Date | undefined
  /** SHA-256 of the public key (SPKI), in hexadecimal. */
  readonly keySha256: string
  /** Its key in the key store. */
  readonly keyName: string
}

interface RawRow extends Record<string, unknown> {
  origin: string
  kind: LogKind
  state: 'active' | 'frozen'
  size: string
  key_sha256: Buffer
  public_url: string | null
  key_name: string | null
  active_from: Date | null
  frozen_at: Date | null
}

const LIST = `select l.origin, l.kind, l.state, l.size, l.key_sha256, s.public_url, s.key_name, s.active_from, l.frozen_at
  from logs l left join log_shards s on s.origin = l.origin
  where s.origin is not null or l.kind = 'certificate'
  order by l.kind desc, s.active_from nulls last, l.id`

/** Every tree of the instance: the shards of the signature logs, oldest first, and the certificate log. */
export async function listShards(options: MaintenanceOptions): Promise<ShardSummary[]> {
  const maintenance = await openMaintenance(options, { keys: false })
  try {
    return await readSummaries(maintenance.db, maintenance.row)
  } finally {
    await maintenance.close()
  }
}

export async function readSummaries(
  db: Pick<Database, 'query'>,
  instance: { readonly publicUrl: string; readonly createdAt: Date },
): Promise<ShardSummary[]> {
  const rows = await db.query<RawRow>(LIST, [])
  return rows.map((row) => ({
    origin: row.origin,
    kind: row.kind,
    state: row.state === 'active' && row.kind !== 'certificate' && row.active_from === null ? 'prepared' : row.state,
    size: BigInt(row.size),
    url: row.public_url ?? `${instance.publicUrl}/ct`,
    from: row.active_from ?? (row.kind === 'certificate' ? instance.createdAt : undefined),
    until: row.frozen_at ?? undefined,
    keySha256: row.key_sha256.toString('hex'),
    keyName: row.key_name ?? 'certificate-log',
  }))
}
