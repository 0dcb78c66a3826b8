import { join } from 'node:path'
import { migrate, openDatabase, startEmbeddedPostgres, type Database } from '@touchmark/postgres'
import type { StandaloneConfig } from './config/options.js'

export interface RunningDatabase {
  readonly db: Database
  /** Resolves when the embedded server is gone for good. */
  readonly exited: Promise<Error>
  close(): Promise<void>
}

/** Connections of an instance that is one process. */
const POOL_SIZE = 16
const SERVER_WAIT_MS = 30_000

/**
 * Opens the configured PostgreSQL, or starts the embedded one; the schema is brought up to date. `workerPoolSize`: this process is a worker, whose
 * supervisor has done the latter.
 */
export async function openStandaloneDatabase(
  config: StandaloneConfig,
  log: (line: string) => void,
  workerPoolSize?: number,
): Promise<RunningDatabase> {
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres'), log })
      : undefined
  const url = embedded?.url ?? config.databaseUrl!
  try {
    const db = await openDatabase({
      url,
      poolSize: workerPoolSize ?? POOL_SIZE,
      applicationName: 'touchmark',
      waitMs: SERVER_WAIT_MS,
      log,
    })
    try {
      if (workerPoolSize === undefined) await migrate(db)
    } catch (error) {
      await db.close()
      throw error
    }
    return {
      db,
      exited: embedded?.exited ?? new Promise(() => undefined),
      close: async () => {
        await db.close()
        await embedded?.stop()
      },
    }
  } catch (error) {
    await embedded?.stop()
    throw error
  }
}
