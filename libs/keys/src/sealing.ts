import { createCipheriv, createDecipheriv, hkdf, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { base64Decode, base64Encode, concatBytes, utf8Encode } from '@touchmark/encoding'
import { KeysError } from './errors.js'
import { asRecord, readJson } from './json-files.js'

/** What a store says about itself in store.json. */
export interface StoreHeader {
  /** scrypt's cost; r is 8 and p is 1. */
  readonly cost: number
  readonly salt: Uint8Array
  /** Derived from the store's key; tells a wrong passphrase from a damaged key file. */
  readonly verifier: Uint8Array
}

/** 2^16 takes 64 MiB and 0.2 s, once a start. Others are not read, so a header can ask for no more than 128 MiB. */
export const SCRYPT_COSTS: readonly number[] = [2 ** 15, 2 ** 16, 2 ** 17]
const SALT_BYTES = 32
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERIFIER = 'touchmark key store v1: verifier'
const FILE_KEY = 'touchmark key store v1: file'
/** One sentence for a wrong passphrase and a damaged header: nobody can tell them apart. */
const WRONG_PASSPHRASE = 'the passphrase does not open this key store'

function derive(passphrase: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  // 128·N·r bytes, and as much again as slack for OpenSSL's own estimate.
  const options = { N: cost, r: 8, p: 1, maxmem: 256 * cost * 8 }
  return new Promise((resolve, reject) => {
    scrypt(utf8Encode(passphrase.normalize('NFC')), salt, KEY_BYTES, options, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}

function expand(key: Uint8Array, salt: Uint8Array, purpose: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    hkdf('sha256', key, salt, utf8Encode(purpose), KEY_BYTES, (error, out) => {
      if (error) reject(error)
      else resolve(new Uint8Array(out))
    })
  })
}

export function encodeHeader({ cost, salt, verifier }: StoreHeader): string {
  const kdf = { name: 'scrypt', N: cost, r: 8, p: 1, salt: base64Encode(salt) }
  return `${JSON.stringify({ version: 1, kdf, verifier: base64Encode(verifier) }, null, 2)}\n`
}

/** Reads store.json; its numbers are checked before anything is derived from them. Throws KEYS_FILE_INVALID. */
export function decodeHeader(bytes: Uint8Array, path: string): StoreHeader {
  return readJson(bytes, path, (json) => {
    const { version, kdf, verifier } = asRecord(json)
    const { name, N, r, p, salt } = asRecord(kdf)
    const cost = SCRYPT_COSTS.find((known) => known === N)
    if (version !== 1 || name !== 'scrypt' || cost === undefined || r !== 8 || p !== 1) return undefined
    return { cost, salt: fixed(salt, SALT_BYTES), verifier: fixed(verifier, KEY_BYTES) }
  })
}

/** The key of a store: seals and opens files, each with a key of its own (HKDF with a random salt). */
export class StoreKey {
  readonly #key: Uint8Array

  private constructor(key: Uint8Array) {
    this.#key = key
  }

  /** Makes the header and the key of a new store. */
  static async create(passphrase: string, cost: number): Promise<{ header: StoreHeader; key: StoreKey }> {
    const salt = new Uint8Array(randomBytes(SALT_BYTES))
    const key = await derive(passphrase, salt, cost)
    return { header: { cost, salt, verifier: await expand(key, salt, VERIFIER) }, key: new StoreKey(key) }
  }

  /** Derives the key of a store. Throws KEYS_PASSPHRASE_WRONG. */
  static async unlock(header: StoreHeader, passphrase: string): Promise<StoreKey> {
    const key = await derive(passphrase, header.salt, header.cost)
    const verifier = await expand(key, header.salt, VERIFIER)
    if (!timingSafeEqual(verifier, header.verifier)) throw new KeysError('KEYS_PASSPHRASE_WRONG', WRONG_PASSPHRASE)
    return new StoreKey(key)
  }

  /** Encrypts a secret under a name, as the text of its file. */
  async seal(name: string, secret: Uint8Array): Promise<string> {
    const salt = new Uint8Array(randomBytes(SALT_BYTES))
    const nonce = new Uint8Array(randomBytes(NONCE_BYTES))
    const cipher = createCipheriv('aes-256-gcm', await expand(this.#key, salt, FILE_KEY), nonce)
    cipher.setAAD(associatedData(name))
    const ciphertext = concatBytes(cipher.update(secret), cipher.final(), cipher.getAuthTag())
    const cipherFields = { name: 'aes-256-gcm', salt: base64Encode(salt), nonce: base64Encode(nonce) }
    return `${JSON.stringify({ version: 1, name, cipher: cipherFields, ciphertext: base64Encode(ciphertext) }, null, 2)}\n`
  }

  /** Opens what seal made under the same name with the same store. Throws KEYS_FILE_INVALID. */
  async open(name: string, file: Uint8Array, path: string): Promise<Uint8Array> {
    const { salt, nonce, ciphertext } = readJson(file, path, (json) => {
      const envelope = asRecord(json)
      const cipher = asRecord(envelope.cipher)
      if (envelope.version !== 1 || envelope.name !== name || cipher.name !== 'aes-256-gcm') return undefined
      const sealed = base64Decode(String(envelope.ciphertext))
      if (sealed.length < TAG_BYTES) return undefined
      return { salt: fixed(cipher.salt, SALT_BYTES), nonce: fixed(cipher.nonce, NONCE_BYTES), ciphertext: sealed }
    })
    const decipher = createDecipheriv('aes-256-gcm', await expand(this.#key, salt, FILE_KEY), nonce, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(associatedData(name))
    decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
    try {
      return concatBytes(decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final())
    } catch (cause) {
      throw new KeysError('KEYS_FILE_INVALID', `${path} is damaged, altered, or not of this key store`, { cause })
    }
  }
}

/** Binds a ciphertext to its place, so that a file under another name does not open. */
function associatedData(name: string): Uint8Array {
  return utf8Encode(`touchmark key v1\n${name}\n`)
}

function fixed(base64: unknown, length: number): Uint8Array {
  const bytes = base64Decode(String(base64))
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes instead of ${length}`)
  return bytes
}
