import { join } from 'node:path'
import type { Clock } from '@touchmark/clock'
import { openKeyStore, readPassphrase, type KeyStore } from '@touchmark/keys'
import { DEFAULT_PORT, generatedPassphraseFile, type StandaloneConfig } from '../config/options.js'
import type { RunningDatabase } from '../database.js'
import { StandaloneError } from '../errors.js'
import { assertNeverSettled, markSettled } from './settled-marker.js'
import { alone, readInstance, settleInstance, type InstanceRow } from './instance-row.js'
import { hasTreeOfKind } from '../logs/shard-rows.js'
import type { KeyName } from './key-names.js'
import { assertKeysThere, openMaterial, type Material } from './material.js'

/** The passphrase of the keys; the embedded database's first start makes one. Throws STANDALONE_CONFIG when none is given for a database of one's own. */
export function passphraseOf(config: StandaloneConfig): Promise<string> {
  const { file, value } = config.passphrase ?? {}
  const generateAt = config.databaseUrl === undefined ? generatedPassphraseFile(config.dataDir) : undefined
  if (file === undefined && value === undefined && generateAt === undefined) {
    throw new StandaloneError(
      'STANDALONE_CONFIG',
      'with a database of your own the keys need a passphrase of your own',
      {
        hint: 'Set TOUCHMARK_PASSPHRASE_FILE (or --passphrase-file) to a file that only you can read, or TOUCHMARK_PASSPHRASE.',
      },
    )
  }
  return readPassphrase({ file, env: value, generateAt })
}

/** The port of the public URL when it is on this machine and none is given. */
export function portOf(config: StandaloneConfig, row: InstanceRow): number {
  if (config.port !== undefined) return config.port
  const { hostname, port, protocol } = new URL(row.publicUrl)
  return hostname === 'localhost' && protocol === 'http:' ? Number(port === '' ? 80 : port) : DEFAULT_PORT
}

/**
 * The instance in the database and its keys, made together at the first start. Throws STANDALONE_PUBLIC_URL_DIFFERS, STANDALONE_KEYS_MISSING, STANDALONE_DATABASE_EMPTY,
 * STANDALONE_KEY_DIFFERS, STANDALONE_CONFIG, and what opening the keys throws.
 */
export async function openInstance(
  config: StandaloneConfig,
  { db }: RunningDatabase,
  passphrase: string,
  clock: Clock,
): Promise<{ row: InstanceRow; material: Material; store: KeyStore; first: boolean }> {
  return alone(db, async () => {
    const stored = await readInstance(db)
    if (stored === undefined && config.publicUrl === undefined && config.port === 0) {
      throw new StandaloneError('STANDALONE_CONFIG', 'a first start on any free port needs to be told its public URL', {
        hint: 'Give --public-url, or a --port: the URL is fixed from then on.',
      })
    }
    const derived = config.port === undefined || config.port === 0 ? undefined : `http://localhost:${config.port}`
    // Without --public-url, a port on this machine is the public URL; a stored URL of another host is served on any port.
    const wanted =
      config.publicUrl ??
      (stored === undefined || new URL(stored.publicUrl).hostname === 'localhost' ? derived : undefined)
    if (stored !== undefined) await settleInstance(db, wanted, stored.publicUrl, clock.now())
    const defaultUrl = `http://localhost:${DEFAULT_PORT}`
    const dir = join(config.dataDir, 'keys')
    if (stored !== undefined) assertKeysThere(dir)
    else await assertNeverSettled(dir)
    const store = await openKeyStore({ dir, passphrase })
    const organization = new URL(wanted ?? stored?.publicUrl ?? defaultUrl).hostname
    const unused: KeyName[] = (await hasTreeOfKind(db, 'signature-v1')) ? [] : ['signature-log-v1']
    const material = await openMaterial(store, { isNew: stored === undefined, unused, organization, clock, dir })
    const row = await settleInstance(db, wanted, defaultUrl, clock.now())
    await markSettled(dir, row)
    return { row, material, store, first: stored === undefined }
  })
}
