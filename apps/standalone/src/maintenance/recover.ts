import type { Clock } from '@touchmark/clock'
import type { PublicKey } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode } from '@touchmark/encoding'
import type { KeyStore } from '@touchmark/keys'
import {
  giveUpAbsentTree,
  giveUpTree,
  replaceGuard,
  surveyAbsentTree,
  surveyTree,
  treeKeySha256,
  treeOrigins,
} from '@touchmark/ledger'
import type { AbsentTree, GivenUpTree, LogKind, TreeSurvey } from '@touchmark/ledger'
import { openGuard } from '../compose/open-guard.js'
import { readConfig } from '../config/options.js'
import { StandaloneError } from '../errors.js'
import { FIRST_V1_KEY, v1OriginOf } from '../logs/v1-trees.js'
import { openMaintenance, type MaintenanceOptions } from './open-maintenance.js'

export type { TreeSurvey } from '@touchmark/ledger'

export interface RecoveryOptions extends MaintenanceOptions {
  readonly guard?: readonly string[]
  readonly guardOptional?: boolean
}

/** The trees of an instance beside what its rollback guard has seen of them. */
export interface Recovery {
  /**
   * Every tree of the database, then those that only the guard knows: of the folder all that a key of this instance signed, of an address those that a start would open. Changes nothing.
   */
  survey(): Promise<TreeSurvey[]>
  /** Freezes a tree that lost entries and keeps what was lost, see giveUpTree(); of one that is not in the database keeps what was lost, see giveUpAbsentTree(). */
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
  const { db, row, store, close } = await openMaintenance(options, { keys: true, environment })
  const keys = new Map<string, PublicKey>()
  const allKeys = async (): Promise<readonly PublicKey[]> => {
    if (keys.size === 0) for (const key of await publicKeys(store!)) keys.set(fingerprint(key), key)
    return [...keys.values()]
  }
  const host = new URL(row.publicUrl).hostname
  const absent = async (origin: string): Promise<AbsentTree> => ({
    origin,
    kind: kindOf(origin),
    keys: await allKeys(),
  })
  const keyOf = async (origin: string): Promise<PublicKey> => {
    await allKeys()
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
      const there = await treeOrigins(db)
      for (const origin of there) trees.push(await surveyTree(db, guard, origin, await keyOf(origin)))
      const wanted = [host, `${host}/ct`, ...(await v1Origins(store!, host))]
      // A guard that cannot be listed is asked below, and says so there.
      const listed = await guard.origins().catch(() => [])
      for (const origin of new Set([...wanted, ...listed])) {
        if (there.includes(origin)) continue
        const tree = await surveyAbsentTree(guard, await absent(origin))
        // In a folder that several instances share, the trees of the others are no news.
        if (tree !== undefined && (tree.verdict !== 'foreign' || wanted.includes(origin))) trees.push(tree)
      }
      return trees
    },
    async giveUp(origin, size, clock) {
      if ((await treeOrigins(db)).includes(origin)) {
        return giveUpTree(db, guard, { origin, size, clock, publicKey: await keyOf(origin) })
      }
      return giveUpAbsentTree(db, guard, { ...(await absent(origin)), size, clock })
    },
    replaceGuard: async (origin, size, clock) =>
      replaceGuard(db, guard, { origin, size, clock, publicKey: await keyOf(origin) }),
    close: () => guard.close().finally(close),
  }
}

/** The trees that keys of API v1 have: a tree's id is made from its key. */
async function v1Origins(store: KeyStore, host: string): Promise<string[]> {
  const names = store.names().filter((name) => name.startsWith(FIRST_V1_KEY))
  return Promise.all(names.map(async (name) => v1OriginOf(host, await store.open(name)).origin))
}

/** What kind of tree an origin of an instance names. */
function kindOf(origin: string): LogKind {
  if (origin.endsWith('/ct')) return 'certificate'
  return / - \d+$/.test(origin) ? 'signature-v1' : 'signature-v2'
}

async function publicKeys(store: KeyStore): Promise<PublicKey[]> {
  return Promise.all(store.names().map(async (name) => (await store.open(name)).publicKey))
}

function fingerprint({ spki }: PublicKey): string {
  return hexEncode(nodeCrypto.hash('SHA2_256', spki))
}
