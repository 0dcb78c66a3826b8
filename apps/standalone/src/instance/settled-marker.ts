import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { StandaloneError } from '../errors.js'
import type { InstanceRow } from './instance-row.js'

/** Lies beside the keys and says that they have signed a history: an empty database is then a lost one, not a new one. */
const FILE = 'instance.json'

/**
 * Refuses keys that belong to an instance whose database is not the one that was opened (STANDALONE_DATABASE_EMPTY): the same keys would sign a
 * second history, and every client that knows the first one would see a fork. A first start that was cut short left no marker and goes on.
 */
export async function assertNeverSettled(dir: string): Promise<void> {
  const text = await readFile(join(dir, FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return
  throw new StandaloneError(
    'STANDALONE_DATABASE_EMPTY',
    `the keys in ${dir} belong to an instance, and this database holds none`,
    {
      found: text.trim().slice(0, 300),
      hint: 'Restore the database from its backup, or correct DATABASE_URL. For a new instance choose another --data folder: these keys must not sign a second history.',
    },
  )
}

/** Written after the instance is stored, whole or not at all; written again by every start, so that an older folder gets it too. */
export async function markSettled(dir: string, row: InstanceRow): Promise<void> {
  const path = join(dir, FILE)
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ publicUrl: row.publicUrl, createdAt: row.createdAt.toISOString() })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
