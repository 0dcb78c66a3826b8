import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openKeyStore, type KeyStore } from '@touchmark/keys'
import { migrate, openDatabase, runningEmbeddedUrl, startEmbeddedPostgres, type Database } from '@touchmark/postgres'
import { readConfig, type StandaloneConfig } from '../config/options.js'
import { StandaloneError } from '../errors.js'
import { readInstance, type InstanceRow } from '../instance/instance-row.js'
import { assertKeysThere } from '../instance/material.js'
import { passphraseOf } from '../instance/open-instance.js'

/** How a command finds the instance it works on: as `touchmark up` finds it. */
export interface MaintenanceOptions {
  readonly data?: string
  readonly databaseUrl?: string
  readonly passphraseFile?: string
}

/** An instance that is there, opened for a command; a server may run on it at the same time. */
export interface Maintenance {
  readonly db: Database
  readonly row: InstanceRow
  /** Present when keys were asked for. */
  readonly store?: KeyStore
  readonly dataDir: string
  /** Closes the database, and stops an embedded server that was started for this command. */
  close(): Promise<void>
}

const POOL_SIZE = 6
const SERVER_WAIT_MS = 10_000

/**
 * Opens the instance for a command of its operator. An embedded database that runs is connected to, one that does not is started and stopped after. Makes
 * nothing: throws STANDALONE_NO_INSTANCE where `touchmark up` has never run, STANDALONE_KEYS_MISSING, and what settings, database and key store throw.
 */
export async function openMaintenance(
  options: MaintenanceOptions,
  { keys, environment = process.env }: { keys: boolean; environment?: NodeJS.ProcessEnv },
): Promise<Maintenance> {
  const config = readConfig(options, environment)
  const { db, close } = await connect(config)
  try {
    await migrate(db)
    const row = await readInstance(db)
    if (row === undefined) throw noInstance('the database holds no instance')
    if (!keys) return { db, row, dataDir: config.dataDir, close }
    const dir = join(config.dataDir, 'keys')
    assertKeysThere(dir)
    const store = await openKeyStore({ dir, passphrase: await passphraseOf(config) })
    return { db, row, store, dataDir: config.dataDir, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function connect(config: StandaloneConfig): Promise<{ db: Database; close(): Promise<void> }> {
  if (config.databaseUrl !== undefined) return open(config.databaseUrl)
  const folder = join(config.dataDir, 'postgres')
  if (!existsSync(folder)) throw noInstance(`${config.dataDir} holds no instance`)
  const running = await runningEmbeddedUrl(folder)
  if (running !== undefined) return open(running)
  const server = await startEmbeddedPostgres({ dataDir: folder })
  return open(server.url, () => server.stop())
}

async function open(
  url: string,
  after: () => Promise<void> = () => Promise.resolve(),
): Promise<{ db: Database; close(): Promise<void> }> {
  try {
    const db = await openDatabase({
      url,
      poolSize: POOL_SIZE,
      applicationName: 'touchmark maintenance',
      waitMs: SERVER_WAIT_MS,
    })
    return { db, close: () => db.close().finally(after) }
  } catch (error) {
    await after()
    throw error
  }
}

function noInstance(message: string): StandaloneError {
  return new StandaloneError('STANDALONE_NO_INSTANCE', message, {
    hint: 'Point --data (and --database-url) at those of the running service; `touchmark up` makes an instance.',
  })
}
