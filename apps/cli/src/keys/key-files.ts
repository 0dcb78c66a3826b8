import type { Signer } from '@touchmark/crypto'
import { encodePublicKeyFile, MAX_KEY_FILE_BYTES, parsePrivateKey, sealPrivateKey } from '@touchmark/keyfile'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exists, readInput, writeWhole } from '../files.js'
import { readPassword, type PasswordOptions } from './password.js'

/** Opens the key file a person named. Throws CLI_FILE_UNREADABLE, CLI_PASSWORD_*, KEYFILE_*. */
export async function openKeyFile(context: CliContext, path: string, options: PasswordOptions): Promise<Signer> {
  const file = await readInput(path, MAX_KEY_FILE_BYTES)
  return parsePrivateKey(file, () => readPassword(context, options, 'open'))
}

export interface PairOptions extends PasswordOptions {
  /** Path and beginning of the names of both files. */
  readonly output?: string
  readonly overwrite?: boolean
}

export interface PairPaths {
  readonly privateKey: string
  readonly publicKey: string
}

/** Where a new pair goes: `touchmark.key` and `touchmark.pub` unless said otherwise. Throws CLI_FILE_EXISTS: a private key that is lost is lost. */
export async function planPair({ output = 'touchmark', overwrite = false }: PairOptions): Promise<PairPaths> {
  const paths = { privateKey: `${output}.key`, publicKey: `${output}.pub` }
  if (overwrite) return paths
  for (const path of Object.values(paths)) if (await exists(path)) throw keyExists(path)
  return paths
}

/** Writes both files, the private one for its owner alone. Throws CLI_FILE_EXISTS, CLI_FILE_UNWRITABLE, CLI_PASSWORD_*. */
export async function writePair(
  context: CliContext,
  signer: Signer,
  paths: PairPaths,
  options: PairOptions,
): Promise<void> {
  const password = await readPassword(context, options, 'new')
  try {
    const replace = options.overwrite === true
    const sealed = await sealPrivateKey(signer, password)
    if (password.length === 0)
      context.err('The password is empty: whoever can read the private key file can sign with it.\n')
    await writeNew(paths.privateKey, sealed, { mode: 0o600, replace })
    await writeNew(paths.publicKey, encodePublicKeyFile(signer.publicKey), { mode: 0o644, replace })
  } finally {
    password.fill(0)
  }
}

async function writeNew(path: string, content: string, options: { mode: number; replace: boolean }): Promise<void> {
  try {
    await writeWhole(path, content, options)
  } catch (error) {
    throw error instanceof CliError && error.code === 'CLI_FILE_EXISTS' ? keyExists(path) : error
  }
}

function keyExists(path: string): CliError {
  return new CliError('CLI_FILE_EXISTS', `${path} is there already`, {
    hint: 'Pass --output PREFIX to write elsewhere, or --overwrite: what was signed with the old key still verifies with its public key, but nobody signs with it again.',
  })
}
