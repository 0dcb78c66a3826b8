import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateSigner, privateKeyToPkcs8, signerFromPkcs8 } from '@touchmark/crypto/node'
import type { KeyType, Signer } from '@touchmark/crypto'
import { pemDecodeAll, pemEncode, utf8Decode } from '@touchmark/encoding'
import type { PemBlock } from '@touchmark/encoding'
import { KeysError } from './errors.js'
import { createPrivateFile, preparePrivateFolder, readPrivateFile, replacePrivateFile } from './private-files.js'
import { decodeHeader, encodeHeader, SCRYPT_COSTS, StoreKey } from './sealing.js'
import type { StoreHeader } from './sealing.js'

/** Lower-case letters, digits and single hyphens, 1 to 64 characters: safe in a file name everywhere. */
export type KeyName = string

/** Private keys in files, encrypted under one passphrase, and the certificates that belong to them. */
export interface KeyStore {
  /** Names of all keys, sorted; read anew each time, as another process may have made one. */
  names(): string[]
  has(name: KeyName): boolean
  /** Makes a key; durable when it resolves. Throws KEYS_EXISTS, also when another process was faster; a key is never overwritten. */
  create(name: KeyName, type: KeyType): Promise<Signer>
  /** Throws KEYS_NOT_FOUND, KEYS_FILE_INVALID, KEYS_PERMISSIONS. */
  open(name: KeyName): Promise<Signer>
  /** Opens a key, or makes it when there is none: of two processes that start together, both get the same key. */
  openOrCreate(name: KeyName, type: KeyType): Promise<Signer>
  /** Stores a certificate (DER) as plain PEM beside the keys. Throws KEYS_EXISTS unless `replace` is set. */
  putCertificate(name: KeyName, certificate: Uint8Array, options?: { replace?: boolean }): Promise<void>
  /** The certificate (DER) of a name, or undefined. Throws KEYS_FILE_INVALID. It is not encrypted and proves nothing by lying there. */
  readCertificate(name: KeyName): Promise<Uint8Array | undefined>
}

export interface KeyStoreOptions {
  readonly dir: string
  readonly passphrase: string
  /** scrypt's N for a store that is made now: 2^15, 2^16 (default) or 2^17. */
  readonly scryptCost?: number
}

const HEADER_FILE = 'store.json'
const KEY_SUFFIX = '.key.json'
const CERTIFICATE_SUFFIX = '.crt.pem'

/**
 * Opens the key store in a folder, and makes it when there is none. The passphrase is checked here, and costs its time once.
 * Throws KEYS_PASSPHRASE_WRONG, KEYS_PASSPHRASE_MISSING, KEYS_FILE_INVALID, KEYS_PERMISSIONS, KEYS_STORAGE.
 */
export async function openKeyStore(options: KeyStoreOptions): Promise<KeyStore> {
  const { dir, passphrase, scryptCost = 2 ** 16 } = options
  if (passphrase === '') throw new KeysError('KEYS_PASSPHRASE_MISSING', 'the passphrase of the key store is empty')
  if (!SCRYPT_COSTS.includes(scryptCost))
    throw new RangeError(`scrypt cost ${scryptCost} is not one of ${SCRYPT_COSTS.join(', ')}`)
  await preparePrivateFolder(dir)
  const header = await readHeader(dir)
  const key =
    header === undefined ? await createStore(dir, passphrase, scryptCost) : await StoreKey.unlock(header, passphrase)
  return new FileKeyStore(dir, key)
}

async function readHeader(dir: string): Promise<StoreHeader | undefined> {
  const path = join(dir, HEADER_FILE)
  const bytes = await readPrivateFile(path)
  if (bytes !== undefined) return decodeHeader(bytes, path)
  // Keys without the header can never be opened again; a new header would hide that it was lost.
  if (namesIn(dir, KEY_SUFFIX).length > 0)
    throw new KeysError('KEYS_FILE_INVALID', `${path} is missing, though there are keys`, {
      hint: 'restore it from a backup',
    })
  return undefined
}

async function createStore(dir: string, passphrase: string, cost: number): Promise<StoreKey> {
  const { header, key } = await StoreKey.create(passphrase, cost)
  try {
    await createPrivateFile(join(dir, HEADER_FILE), encodeHeader(header))
    return key
  } catch (error) {
    // Another process made the store in the meantime: its salt counts, and our passphrase must be its passphrase.
    const found = isExists(error) ? await readHeader(dir) : undefined
    if (found === undefined) throw error
    return StoreKey.unlock(found, passphrase)
  }
}

class FileKeyStore implements KeyStore {
  readonly #dir: string
  readonly #key: StoreKey

  constructor(dir: string, key: StoreKey) {
    this.#dir = dir
    this.#key = key
  }

  names(): string[] {
    return namesIn(this.#dir, KEY_SUFFIX)
  }

  has(name: KeyName): boolean {
    return existsSync(this.#path(name, KEY_SUFFIX))
  }

  async create(name: KeyName, type: KeyType): Promise<Signer> {
    const path = this.#path(name, KEY_SUFFIX)
    // Looked up first because RSA keys take seconds to make; what decides is the creation of the file.
    if (this.has(name)) throw new KeysError('KEYS_EXISTS', `${path} exists already`)
    const signer = generateSigner(type)
    const pkcs8 = privateKeyToPkcs8(signer)
    try {
      await createPrivateFile(path, await this.#key.seal(name, pkcs8))
    } finally {
      pkcs8.fill(0)
    }
    return signer
  }

  async open(name: KeyName): Promise<Signer> {
    const path = this.#path(name, KEY_SUFFIX)
    const file = await readPrivateFile(path)
    if (file === undefined) throw new KeysError('KEYS_NOT_FOUND', `the key store has no key "${name}"`)
    const pkcs8 = await this.#key.open(name, file, path)
    try {
      return signerFromPkcs8(pkcs8)
    } finally {
      pkcs8.fill(0)
    }
  }

  async openOrCreate(name: KeyName, type: KeyType): Promise<Signer> {
    if (this.has(name)) return this.open(name)
    try {
      return await this.create(name, type)
    } catch (error) {
      if (isExists(error)) return this.open(name)
      throw error
    }
  }

  async putCertificate(name: KeyName, certificate: Uint8Array, options: { replace?: boolean } = {}): Promise<void> {
    const write = options.replace === true ? replacePrivateFile : createPrivateFile
    await write(this.#path(name, CERTIFICATE_SUFFIX), pemEncode('CERTIFICATE', certificate))
  }

  async readCertificate(name: KeyName): Promise<Uint8Array | undefined> {
    const path = this.#path(name, CERTIFICATE_SUFFIX)
    // Not a secret: a mode that lets others read it is fine.
    const file = await readPrivateFile(path, { anyMode: true })
    return file === undefined ? undefined : onlyCertificate(file, path)
  }

  #path(name: KeyName, suffix: string): string {
    if (!isKeyName(name))
      throw new KeysError('KEYS_NAME_INVALID', `${JSON.stringify(name.slice(0, 80))} cannot be the name of a key`)
    return join(this.#dir, name + suffix)
  }
}

function isKeyName(name: string): boolean {
  return name.length <= 64 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)
}

function namesIn(dir: string, suffix: string): string[] {
  const files = readdirSync(dir).filter((file) => file.endsWith(suffix))
  return files
    .map((file) => file.slice(0, -suffix.length))
    .filter(isKeyName)
    .sort()
}

function onlyCertificate(file: Uint8Array, path: string): Uint8Array {
  let blocks: PemBlock[]
  try {
    blocks = pemDecodeAll(utf8Decode(file))
  } catch (cause) {
    throw new KeysError('KEYS_FILE_INVALID', `${path} is damaged`, { cause })
  }
  const [block] = blocks
  if (blocks.length !== 1 || block?.label !== 'CERTIFICATE')
    throw new KeysError('KEYS_FILE_INVALID', `${path} is not one PEM certificate`)
  return block.bytes
}

function isExists(error: unknown): boolean {
  return error instanceof KeysError && error.code === 'KEYS_EXISTS'
}
