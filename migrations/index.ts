import type { MigrationInterface } from 'typeorm'
import { Instance1764000000000 } from './1764000000000-instance.js'
import { DemoIssuer1764000000100 } from './1764000000100-demo-issuer.js'
import { Ledger1764000000200 } from './1764000000200-ledger.js'
import { Shards1764000000400 } from './1764000000400-shards.js'
import { CaRecord1764000000300 } from './1764000000300-ca-record.js'
import { Search1764000000500 } from './1764000000500-search.js'

/** Every migration, oldest first. One file a change; a migration works before and after the code that needs it. */
export const migrations: (new () => MigrationInterface)[] = [
  Instance1764000000000,
  DemoIssuer1764000000100,
  Ledger1764000000200,
  Shards1764000000400,
  CaRecord1764000000300,
  Search1764000000500,
]
