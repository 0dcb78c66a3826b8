import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PostgresError, startEmbeddedPostgres } from '@touchmark/postgres'

/** A server on which test databases can be made. */
export interface TestServer {
  /** May create databases. */
  adminUrl: string
  /** The user that tests connect as; the database in it is replaced by the test's own. */
  userUrl: string
  leave(): Promise<void>
}

/** Durability is not what these databases test: a crash of the machine ends the tests too. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '200' }

/**
 * DATABASE_URL when it is set, else one embedded server for all test files of this checkout, whichever process comes
 * first. It is kept for the next file and stopped by test/setup/global-teardown.mjs when nobody uses it any more; one
 * that a killed run left behind is adopted.
 */
export async function testServer(): Promise<TestServer> {
  const given = process.env['DATABASE_URL']
  if (given) return { adminUrl: given, userUrl: given, leave: () => Promise.resolve() }
  for (let attempt = 1; ; attempt++) {
    try {
      const server = await startEmbeddedPostgres({ dataDir: testServerFolder(), shared: true, settings: SETTINGS })
      return { adminUrl: server.adminUrl, userUrl: server.url, leave: () => server.leave() }
    } catch (error) {
      // Another run has just ended and is removing the server.
      if (attempt === 5 || !(error instanceof PostgresError) || error.code === 'POSTGRES_BINARIES') throw error
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt))
    }
  }
}

/** One folder a user and checkout; global-teardown.mjs builds the same name. */
function testServerFolder(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..')
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 12)
  return join(tmpdir(), `touchmark-test-${process.getuid?.() ?? 0}-${checkout}`)
}
