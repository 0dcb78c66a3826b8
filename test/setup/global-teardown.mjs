// Stops and removes the embedded server that test files share (libs/testkit/src/database/test-server.ts), unless
// another run of the same checkout uses it. Plain JavaScript without workspace packages: Jest runs it as it is.
import { createHash, randomBytes } from 'node:crypto'
import { readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

/** The claim of libs/postgres/src/embedded/claim.ts: every test file holds it shared. */
const LOCK = [0x746f7563, 0x686d726b]

function testServerFolder() {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 12)
  return join(tmpdir(), `touchmark-test-${process.getuid?.() ?? 0}-${checkout}`)
}

async function readServer(folder) {
  const pointer = await readFile(join(folder, 'location.json'), 'utf8').catch(() => undefined)
  const place = pointer === undefined ? folder : JSON.parse(pointer).place
  const lines = (await readFile(join(place, 'cluster', 'data', 'postmaster.pid'), 'utf8')).split('\n')
  const { superuser } = JSON.parse(await readFile(join(place, 'cluster', 'passwords.json'), 'utf8'))
  return { place, pid: Number(lines[0]), port: Number(lines[3]), password: superuser }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export default async function globalTeardown() {
  const folder = testServerFolder()
  const server = await readServer(folder).catch(() => undefined)
  if (!server) return
  const { place, pid, port, password } = server
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    ssl: false,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as taken', LOCK)
    if (!rows[0].taken) return
    // Renamed first: a run that starts now makes a server of its own. The server does not mind: it works by relative paths.
    const aside = `${place}.ended-${randomBytes(4).toString('hex')}`
    await rename(place, aside)
    process.kill(pid, 'SIGINT')
    for (let waited = 0; waited < 10_000 && isRunning(pid); waited += 20) await new Promise((go) => setTimeout(go, 20))
    await rm(aside, { recursive: true, force: true })
    if (place !== folder) await rm(folder, { recursive: true, force: true })
  } catch (error) {
    console.warn(`the test server was left running: ${error.message}`)
  } finally {
    await client.end().catch(() => undefined)
  }
}
