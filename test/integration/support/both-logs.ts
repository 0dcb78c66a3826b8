import { systemClock } from '@touchmark/clock'
import { generateSigner } from '@touchmark/crypto/node'
import { openLog, type Log } from '@touchmark/ledger'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { openV1Tree, type TestV1Tree } from './v1-log.js'

/** A log of each API in one database of their own. */
export interface BothLogs {
  readonly db: TestDatabase
  readonly log: Log
  readonly tree: TestV1Tree
  close(): Promise<void>
}

export async function openBothLogs(): Promise<BothLogs> {
  const db = await testDatabase()
  const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  const log = await openLog({ db, kind: 'signature-v2', origin: 'log.example.com', signer, clock: systemClock })
  const tree = await openV1Tree(db, systemClock)
  return {
    db,
    log,
    tree,
    async close() {
      await Promise.all([log.close(), tree.log.close()])
      await db.drop()
    },
  }
}
