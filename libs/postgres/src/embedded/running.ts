import { PostgresError } from '../errors.js'
import { findBinaries } from './binaries.js'
import { findPlace, readCluster } from './cluster.js'
import { OWNER } from './embedded.js'
import { isServerOf, readPidFile } from './postmaster.js'

/** How long a server that is starting or stopping is waited for. */
const SETTLE_MS = 60_000

/**
 * The owner's URL of the embedded server that runs on `dataDir`, or undefined when none runs. Claims nothing: whoever has claimed the server may
 * stop it, and sessions of this URL end with it. Holds the password: never print it. Throws what starting would throw about a folder that does not fit.
 */
export async function runningEmbeddedUrl(dataDir: string): Promise<string | undefined> {
  const log = () => undefined
  const place = await findPlace(dataDir, undefined, log)
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const found = await readPidFile(place.dataFolder)
    if (!found || !(await isServerOf(found.pid, place.dataFolder))) return undefined
    if (found.port !== undefined && (found.status === 'ready' || found.status === 'standby')) {
      const { owner } = await readCluster(place, await findBinaries(place.account, log))
      return `postgresql://${OWNER}:${owner}@127.0.0.1:${found.port}/${OWNER}?sslmode=disable`
    }
    if (performance.now() > until) {
      throw new PostgresError('POSTGRES_UNAVAILABLE', `PostgreSQL (process ${found.pid}) neither starts nor stops`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
