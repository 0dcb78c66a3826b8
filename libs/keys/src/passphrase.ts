import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { base64UrlEncode, utf8Decode } from '@touchmark/encoding'
import { KeysError } from './errors.js'
import { createPrivateFile, preparePrivateFolder, readPrivateFile } from './private-files.js'

/** Where a passphrase may come from; the first that is given counts. */
export interface PassphraseSources {
  /** A file that must exist; a newline at its end does not belong to the passphrase. */
  readonly file?: string | undefined
  /** The value of an environment variable, read by the app. */
  readonly env?: string | undefined
  /** A file that is made with a random passphrase at the first start, and read at later ones. */
  readonly generateAt?: string | undefined
}

const GENERATED_BYTES = 32
const MAX_CHARACTERS = 1024
/** Container runtimes put secrets there with mode 0444, in a memory file system that only the container sees. */
const CONTAINER_SECRETS = '/run/secrets/'

/**
 * Reads the passphrase of a key store. Throws KEYS_PASSPHRASE_MISSING (none given, empty, over 1024 characters, not UTF-8),
 * KEYS_PERMISSIONS when other users can read its file, KEYS_STORAGE.
 */
export async function readPassphrase(sources: PassphraseSources): Promise<string> {
  const { file, env, generateAt } = sources
  if (file !== undefined) {
    const found = await fromFile(file)
    if (found === undefined) throw missing(`the passphrase file ${file} does not exist`)
    return found
  }
  if (env !== undefined) return checked(env, 'the passphrase of the environment')
  if (generateAt !== undefined) return (await fromFile(generateAt)) ?? generate(generateAt)
  throw missing('no passphrase is given')
}

async function fromFile(path: string): Promise<string | undefined> {
  const bytes = await readPrivateFile(path, { anyMode: path.startsWith(CONTAINER_SECRETS) })
  if (bytes === undefined) return undefined
  let text: string
  try {
    text = utf8Decode(bytes)
  } catch (cause) {
    throw missing(`the passphrase in ${path} is not UTF-8`, cause)
  }
  return checked(text.replace(/\r?\n$/, ''), `the passphrase in ${path}`)
}

async function generate(path: string): Promise<string> {
  const passphrase = base64UrlEncode(randomBytes(GENERATED_BYTES))
  await preparePrivateFolder(dirname(path))
  try {
    await createPrivateFile(path, `${passphrase}\n`)
    return passphrase
  } catch (error) {
    // Another process made it between our look and our write: the one that is there counts for both.
    const found = error instanceof KeysError && error.code === 'KEYS_EXISTS' ? await fromFile(path) : undefined
    if (found === undefined) throw error
    return found
  }
}

function checked(passphrase: string, what: string): string {
  if (passphrase === '') throw missing(`${what} is empty`)
  if (passphrase.length > MAX_CHARACTERS) throw missing(`${what} is longer than ${MAX_CHARACTERS} characters`)
  return passphrase
}

function missing(why: string, cause?: unknown): KeysError {
  return new KeysError('KEYS_PASSPHRASE_MISSING', why, { cause })
}
