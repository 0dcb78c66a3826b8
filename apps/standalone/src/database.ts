import { join } from 'node:path'
import { migrate, openDatabase, startEmbeddedPostgres, type Database } from '@touchmark/postgres'
import type { StandaloneConfig } from './config/options.js'

export interface RunningDatabase {
  readonly db: Database
  /** Resolves when the embedded server is gone for good. */
  readonly exited: Promise<Error>
  close(): Promise<void>
}

const POOL_SIZE = 16
const SERVER_WAIT_MS = 30_000

/** Opens the configured PostgreSQL, or starts the embedded one; the schema is brought up to date. */
export async function openStandaloneDatabase(
  config: StandaloneConfig,
  log: (line: string) => void,
): Promise<RunningDatabase> {
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres'), log })
      : undefined
  const url = embedded?.url ?? config.databaseUrl!
  try {
    const db = await openDatabase({
      url,
      poolSize: POOL_SIZE,
      applicationName: 'touchmark',
      waitMs: SERVER_WAIT_MS,
      log,
    })
    try {
      await migrate(db)
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
