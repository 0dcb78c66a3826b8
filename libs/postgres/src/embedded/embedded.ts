import { PostgresError } from '../errors.js'
import { mapConnectionError } from '../map-error.js'
import { findBinaries } from './binaries.js'
import type { Claim } from './claim.js'
import { tryExclusive } from './claim.js'
import { findPlace, makeCluster, readCluster, removeCluster } from './cluster.js'
import { readPidFile, isServerOf } from './postmaster.js'
import type { RunningServer, ServerPlan } from './server.js'
import { adminUrl, bringUp, stopServer } from './server.js'

export interface EmbeddedPostgresOptions {
  /** A folder for the embedded server alone; made if missing. See Place in cluster.ts for what lies in it. */
  dataDir: string
  /** Told what happens, in short sentences without secrets. */
  log?: (line: string) => void
  /** As root: the user to run the server as (default `postgres`, else `nobody`). */
  user?: string
  /** Settings of postgresql.conf that replace ours. */
  settings?: Readonly<Record<string, string>>
  /** Several processes use the server, the last one to stop() stops it (default false: a second one is refused). */
  shared?: boolean
  /** How long starting may take, the replay of the log after a crash included, in milliseconds (default 300,000). */
  startTimeoutMs?: number
}

/** The name of the database and of its owner. */
export const OWNER = 'touchmark'
/** A server that dies more often than this within the window is not started again. */
const REVIVALS = { count: 5, windowMs: 600_000 }

/**
 * A PostgreSQL server of our own. The server outlives a process that is killed: the next start adopts it. When the
 * server dies under us it is started again on the same port, so pools of connections recover by themselves.
 */
export class EmbeddedPostgres {
  /** Connects as the owner of the database `touchmark`, who is no superuser. Holds the password: never print it. */
  readonly url: string
  /** Connects as the superuser. Holds the password: never print it. */
  readonly adminUrl: string
  /** True when the server was running before. */
  readonly adopted: boolean
  /** Where the cluster and server.log lie. */
  readonly place: string
  /** Resolves, with the reason, when the server is gone for good: the process should stop. Never rejects. */
  readonly exited: Promise<PostgresError>
  #server: RunningServer
  readonly #plan: ServerPlan
  #markExited: (reason: PostgresError) => void = () => undefined
  #reviving: Promise<void> = Promise.resolve()
  #revivals: number[] = []
  #stopping: Promise<void> | undefined

  constructor(plan: ServerPlan, server: RunningServer) {
    this.#plan = plan
    this.#server = server
    this.url = `postgresql://${OWNER}:${plan.passwords.owner}@127.0.0.1:${server.port}/${OWNER}?sslmode=disable`
    this.adminUrl = adminUrl(plan.passwords, server.port)
    this.adopted = !server.started
    this.place = plan.place.path
    this.exited = new Promise((resolve) => (this.#markExited = resolve))
    this.#watch(server.claim)
  }

  /** The process id of the server. */
  get pid(): number {
    return this.#server.pid
  }

  /**
   * Shuts the server down (fast: sessions end, data is flushed) and waits until it is gone. A shared server that
   * others use, and a server that another process has claimed, are left alone. May be called again.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Lets go of the server and leaves it running, for another start to adopt. */
  leave(): Promise<void> {
    this.#stopping ??= this.#reviving.then(() => this.#server.claim.release())
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#reviving
    const { claim, pid } = this.#server
    try {
      const sole = this.#plan.sharing === 'exclusive' || (await tryExclusive(claim))
      // Asked through the session that holds the claim: a claim that was lost gives no right to stop anything.
      await claim.client.query('select 1')
      if (sole) await stopServer(pid, this.#plan.place.dataFolder)
    } catch (error) {
      if (error instanceof PostgresError) throw error
    } finally {
      await claim.release()
    }
  }

  #watch(claim: Claim): void {
    void claim.lost.then(() => {
      if (this.#stopping || this.#server.claim !== claim) return
      this.#reviving = this.#revive()
    })
  }

  // The session that holds the claim ended: the server crashed, restarts after a crash of one of its workers, or
  // somebody ended the session.
  async #revive(): Promise<void> {
    const now = performance.now()
    this.#revivals = [...this.#revivals.filter((at) => now - at < REVIVALS.windowMs), now]
    try {
      if (this.#revivals.length > REVIVALS.count) {
        throw new PostgresError('POSTGRES_UNAVAILABLE', `PostgreSQL was lost ${this.#revivals.length} times in a row`)
      }
      this.#plan.log('the connection to PostgreSQL was lost; bringing it back')
      const server = await bringUp(this.#plan, this.#server.port)
      if (server.port !== this.#server.port) {
        await server.claim.release()
        throw new PostgresError('POSTGRES_IN_USE', 'another process has started PostgreSQL on another port')
      }
      this.#server = server
      this.#watch(server.claim)
    } catch (error) {
      this.#markExited(mapConnectionError(error))
    }
  }
}

/**
 * Starts the embedded PostgreSQL of `dataDir`, or adopts the one that a killed process left running; makes keys to it
 * (passwords) and the empty database `touchmark` at the first start.
 *
 * Throws POSTGRES_IN_USE when another live process uses it, POSTGRES_BINARIES when there are no programs for this
 * machine, POSTGRES_DATA_INVALID when the folder does not fit (owner, version, missing parts), POSTGRES_DISK_FULL,
 * POSTGRES_START_FAILED. Linux and macOS.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (process.getuid === undefined) {
    throw new PostgresError('POSTGRES_BINARIES', 'the embedded PostgreSQL runs on Linux and macOS', {
      hint: 'set DATABASE_URL',
    })
  }
  const log = options.log ?? (() => undefined)
  const place = await findPlace(options.dataDir, options.user, log)
  const binaries = await findBinaries(place.account, log)
  await makeCluster(place, binaries)
  const plan: ServerPlan = {
    place,
    binaries,
    passwords: await readCluster(place, binaries),
    settings: options.settings ?? {},
    sharing: options.shared ? 'shared' : 'exclusive',
    startTimeoutMs: options.startTimeoutMs ?? 300_000,
    log,
  }
  const server = await bringUp(plan)
  try {
    await makeDatabase(server.claim, plan.passwords.owner)
  } catch (error) {
    await server.claim.release()
    throw mapConnectionError(error)
  }
  return new EmbeddedPostgres(plan, server)
}

/**
 * Removes the database of `dataDir` for ever, wherever it lies; for demos and tests. Throws POSTGRES_IN_USE while its
 * server runs.
 */
export async function removeEmbeddedPostgres(dataDir: string): Promise<void> {
  const { dataFolder } = await findPlace(dataDir, undefined, () => undefined)
  const found = await readPidFile(dataFolder)
  if (found && (await isServerOf(found.pid, dataFolder))) {
    throw new PostgresError('POSTGRES_IN_USE', `PostgreSQL (process ${found.pid}) runs on ${dataDir}`)
  }
  await removeCluster(dataDir)
}

/** Makes the owner and the database if they are missing: a crash between the two is mended by the next start. */
async function makeDatabase({ client }: Claim, password: string): Promise<void> {
  const missing = async (sql: string) => (await client.query(sql, [OWNER])).rowCount === 0
  const noRole = () => missing('select 1 from pg_roles where rolname = $1')
  const noDatabase = () => missing('select 1 from pg_database where datname = $1')
  if (!(await noRole()) && !(await noDatabase())) return
  await client.query('select pg_advisory_lock($1, $2)', [0x746f7563, 0x6d616b65])
  // The statement with the password must not reach the server's log, whatever happens to it.
  await client.query(`select set_config('log_min_error_statement', 'panic', false)`)
  if (await noRole()) {
    const { rows } = await client.query<{ sql: string }>(
      `select format('create role %I login password %L', $1::text, $2::text) as sql`,
      [OWNER, password],
    )
    await client.query(rows[0]!.sql)
  }
  if (await noDatabase()) await client.query('create database touchmark owner touchmark template template0')
  await client.query('reset log_min_error_statement')
  await client.query('select pg_advisory_unlock($1, $2)', [0x746f7563, 0x6d616b65])
}
