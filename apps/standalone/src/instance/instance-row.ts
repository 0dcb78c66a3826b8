import type { Database } from '@touchmark/postgres'
import { StandaloneError } from '../errors.js'

/** What was fixed when this instance was first started. */
export interface InstanceRow {
  readonly publicUrl: string
  readonly createdAt: Date
}

/** 'touc', 'inst' */
const LOCK = [0x746f7563, 0x696e7374]

/** Runs `work` while no other process on this database runs its own: of two first starts at once, one makes the keys and certificates. */
export function alone<T>(db: Database, work: () => Promise<T>): Promise<T> {
  return db.withClient(async (client) => {
    await client.query('select pg_advisory_lock($1, $2)', LOCK)
    try {
      return await work()
    } finally {
      await client.query('select pg_advisory_unlock($1, $2)', LOCK)
    }
  })
}

/** The stored instance, or undefined before the first start. */
export async function readInstance(db: Database): Promise<InstanceRow | undefined> {
  const rows = await db.query<{ public_url: string; created_at: Date }>(
    'select public_url, created_at from instance',
    [],
  )
  const row = rows[0]
  return row === undefined ? undefined : { publicUrl: row.public_url, createdAt: new Date(row.created_at) }
}

/**
 * The public URL of this start. The first one is stored; the log's origin, the certificates' names and the clients' settings carry it from then on,
 * so another one is refused (STANDALONE_PUBLIC_URL_DIFFERS). Two first starts at once store one row: the second reads it.
 */
export async function settleInstance(
  db: Database,
  wanted: string | undefined,
  defaultUrl: string,
  now: Date,
): Promise<InstanceRow> {
  const stored = (await readInstance(db)) ?? (await storeInstance(db, wanted ?? defaultUrl, now))
  if (wanted !== undefined && wanted !== stored.publicUrl) {
    throw new StandaloneError(
      'STANDALONE_PUBLIC_URL_DIFFERS',
      `this instance was first started as ${stored.publicUrl}, and cannot become ${wanted}`,
      {
        expected: stored.publicUrl,
        found: wanted,
        hint: `Its log, its certificates and every client's settings carry that name. Start it as ${stored.publicUrl}, or start a new instance with another --data folder and database.`,
      },
    )
  }
  return stored
}

async function storeInstance(db: Database, publicUrl: string, now: Date): Promise<InstanceRow> {
  await db.query(
    'insert into instance (only_row, public_url, created_at) values (true, $1, $2) on conflict (only_row) do nothing',
    [publicUrl, now],
  )
  const stored = await readInstance(db)
  if (stored === undefined) throw new StandaloneError('STANDALONE_CONFIG', 'the instance could not be stored')
  return stored
}
