import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import {
  readConfig,
  startStandalone,
  type Standalone,
  type StandaloneConfig,
  type UpOptions,
} from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { createLogger, type ConnectionLimits } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { freePort } from '../../support/stack.js'
import { send } from './http.js'

export const PASSPHRASE = 'correct horse battery staple'

/** A folder of its own that remove() takes away. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'touchmark-standalone-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** The whole stack in this process, on a database and in a folder of its own. */
export interface InProcess {
  readonly url: string
  readonly port: number
  readonly data: string
  readonly db: TestDatabase
  readonly standalone: Standalone
  /** Everything that was logged so far, at the level `debug`. */
  logged(): string
  /** What was logged as an error of ours. */
  errors(): string[]
  close(): Promise<void>
}

/** Settings of a stack in this process; the database's own passphrase rule applies, so one is given. */
export function configOf(
  db: TestDatabase,
  data: string,
  options: UpOptions,
  environment: NodeJS.ProcessEnv = {},
): StandaloneConfig {
  return readConfig(
    { data, databaseUrl: db.url, metricsPort: 0, ...options },
    { TOUCHMARK_PASSPHRASE: PASSPHRASE, ...environment },
  )
}

export async function startInProcess(
  options: UpOptions = {},
  limits: Partial<ConnectionLimits> = {},
): Promise<InProcess> {
  const [db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
  const lines = new PassThrough({ highWaterMark: 64 * 1024 * 1024 })
  let logged = ''
  const logger = createLogger({ level: 'debug', destination: lines })
  const data = join(folder.path, 'data')
  const config = configOf(db, data, { port, ...options })
  const standalone = await startStandalone(config, { clock: systemClock, logger, limits })
  const all = (): string => (logged += String(lines.read() ?? ''))
  return {
    url: `http://localhost:${port}`,
    port,
    data,
    db,
    standalone,
    logged: all,
    errors: () =>
      all()
        .split('\n')
        .filter((line) => /"level":(50|60)/.test(line)),
    async close() {
      await standalone.stop(1000)
      await db.drop()
      await folder.remove()
    },
  }
}

/** Sizes of the signature log and of the certificate log, as anybody can read them. */
export async function logSizes(url: string): Promise<{ signature: number; certificate: number }> {
  const [note, head] = await Promise.all([send(url, '/api/v2/checkpoint'), send(url, '/ct/v1/get-sth')])
  return {
    signature: Number(note.text.split('\n')[1]),
    certificate: (JSON.parse(head.text) as { tree_size: number }).tree_size,
  }
}
