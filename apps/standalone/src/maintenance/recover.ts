import type { Clock } from '@touchmark/clock'
import type { PublicKey } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode } from '@touchmark/encoding'
import type { KeyStore } from '@touchmark/keys'
import { giveUpTree, replaceGuard, surveyTree, treeKeySha256, treeOrigins } from '@touchmark/ledger'
import type { GivenUpTree, TreeSurvey } from '@touchmark/ledger'
import { openGuard } from '../compose/open-guard.js'
import { readConfig } from '../config/options.js'
import { StandaloneError } from '../errors.js'
import { openMaintenance, type MaintenanceOptions } from './open-maintenance.js'

export type { TreeSurvey } from '@touchmark/ledger'

export interface RecoveryOptions extends MaintenanceOptions {
  readonly guard?: readonly string[]
  readonly guardOptional?: boolean
}

/** The trees of an instance beside what its rollback guard has seen of them. */
export interface Recovery {
  /** Every tree; changes nothing. */
  survey(): Promise<TreeSurvey[]>
  /** Freezes a tree that lost entries and keeps what was lost; see giveUpTree(). */
  giveUp(origin: string, size: bigint, clock: Clock): Promise<GivenUpTree>
  /** Puts a record that cannot be believed aside; see replaceGuard(). */
  replaceGuard(origin: string, size: bigint, clock: Clock): Promise<void>
  close(): Promise<void>
}

/** Opens instance, keys and guard. Throws what openMaintenance() throws. */
export async function openRecovery(
  options: RecoveryOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Recovery> {
  const config = readConfig(options, environment)
  const guard = openGuard(config)
  const { db, store, close } = await openMaintenance(options, { keys: true, environment })
  const keys = new Map<string, PublicKey>()
  const keyOf = async (origin: string): Promise<PublicKey> => {
    if (keys.size === 0) for (const key of await publicKeys(store!)) keys.set(fingerprint(key), key)
    const wanted = hexEncode(await treeKeySha256(db, origin))
    const key = keys.get(wanted)
    if (key !== undefined) return key
    throw new StandaloneError('STANDALONE_KEYS_MISSING', `no key of the key store is the one of the tree ${origin}`, {
      expected: `a key whose SHA-256 is ${wanted}`,
      hint: 'Restore the keys folder: the newest backup of it has the keys of all shards.',
    })
  }
  return {
    async survey() {
      const trees: TreeSurvey[] = []
      for (const origin of await treeOrigins(db)) trees.push(await surveyTree(db, guard, origin, await keyOf(origin)))
      return trees
    },
    giveUp: async (origin, size, clock) =>
      giveUpTree(db, guard, { origin, size, clock, publicKey: await keyOf(origin) }),
    replaceGuard: async (origin, size, clock) =>
      replaceGuard(db, guard, { origin, size, clock, publicKey: await keyOf(origin) }),
    close: () => guard.close().finally(close),
  }
}

async function publicKeys(store: KeyStore): Promise<PublicKey[]> {
  return Promise.all(store.names().map(async (name) => (await store.open(name)).publicKey))
}

function fingerprint({ spki }: PublicKey): string {
  return hexEncode(nodeCrypto.hash('SHA2_256', spki))
}
