import pg from 'pg'
import { PostgresError } from '../errors.js'
import { mapConnectionError } from '../map-error.js'
import { isRunning } from './postmaster.js'

/**
 * The right to use an embedded server: a session that holds an advisory lock. The server gives it back by itself when
 * the process that holds it dies, in whatever way; nothing has to be cleaned up and no file can go stale.
 */
export interface Claim {
  client: pg.Client
  /** Resolves when the session ends without release(). */
  lost: Promise<void>
  release(): Promise<void>
}

export type Sharing = 'exclusive' | 'shared'

/** 'touc', 'hmrk': in the database `postgres` of an embedded cluster, which is ours alone. */
const LOCK = [0x746f7563, 0x686d726b]
const TRY = {
  exclusive: 'select pg_try_advisory_lock($1, $2) as taken',
  shared: 'select pg_try_advisory_lock_shared($1, $2) as taken',
}
const HOLDERS = `select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.classid = $1 and l.objid = $2`
const NAME = 'touchmark process '

/** Two methods of pg's client that its types leave out. */
interface Unreferenceable {
  ref(): void
  unref(): void
}

/** Another server answers on this port: the one that is looked for has ended meanwhile. */
export class ForeignServer extends Error {}

/**
 * Connects to the server on the data folder and claims it. Throws POSTGRES_IN_USE when another process that lives has
 * it, POSTGRES_UNAVAILABLE or POSTGRES_REFUSED when it does not answer, ForeignServer when it is another one.
 */
export async function takeClaim(adminUrl: string, dataFolder: string, sharing: Sharing): Promise<Claim> {
  const client = new pg.Client({
    connectionString: adminUrl,
    application_name: `${NAME}${process.pid}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  let released = false
  const lost = new Promise<void>((resolve) => {
    const onEnd = () => void (released || resolve())
    client.on('error', onEnd)
    client.on('end', onEnd)
  })
  const release = async () => {
    released = true
    // What is waited for must keep the process running until it is there.
    ;(client as unknown as Unreferenceable).ref()
    await client.end().catch(() => undefined)
  }
  try {
    await client.connect()
    // The claim alone does not keep the process running.
    ;(client as unknown as Unreferenceable).unref()
    const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`)
    if (rows[0]?.folder !== dataFolder) throw new ForeignServer(`the server is on ${String(rows[0]?.folder)}`)
    await lock(client, sharing)
    return { client, lost, release }
  } catch (error) {
    await release()
    throw error instanceof ForeignServer || error instanceof PostgresError ? error : mapConnectionError(error)
  }
}

/** True when nobody else has the server: then it is held exclusively until the session ends. */
export async function tryExclusive(claim: Claim): Promise<boolean> {
  await claim.client.query('select pg_advisory_unlock_all()')
  const { rows } = await claim.client.query<{ taken: boolean }>(TRY.exclusive, LOCK)
  return rows[0]?.taken === true
}

async function lock(client: pg.Client, sharing: Sharing): Promise<void> {
  const started = performance.now()
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>(TRY[sharing], LOCK)
    if (rows[0]?.taken) return
    const holders = (await client.query<{ name: string }>(HOLDERS, LOCK)).rows.map(({ name }) => name)
    const pids = holders.map((name) => Number(name.slice(NAME.length))).filter((pid) => pid > 0)
    const alive = (await Promise.all(pids.map(isRunning))).some(Boolean)
    // A process that was just killed still has its session until the server has read the end of it.
    if (performance.now() - started > (alive ? 1_000 : 10_000)) {
      throw new PostgresError(
        'POSTGRES_IN_USE',
        `another process uses this database: ${pids.join(', ') || 'unknown'}`,
        {
          hint: 'stop it first, or choose another data folder',
        },
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
