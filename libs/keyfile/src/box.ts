import { scrypt } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { randomBytes } from '@touchmark/crypto/node'
import { KeyfileError } from './errors.js'
import { NONCE_BYTES, type ScryptCost, type SealedKey } from './sealed-key.js'

const KEY_BYTES = 32
const SALT_BYTES = 32
/** As cosign. Takes 64 MiB and 0.2 s. */
const COST: ScryptCost = 65536
/** More than anybody types or generates. */
const MAX_PASSWORD_BYTES = 4096

/** Encrypts bytes under a password, with a new salt and nonce. Throws KEYFILE_PASSWORD_TOO_LONG. */
export async function closeBox(secret: Uint8Array, password: Uint8Array): Promise<SealedKey> {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const key = await derive(password, salt, COST)
  try {
    return { cost: COST, salt, nonce, ciphertext: xsalsa20poly1305(key, nonce).encrypt(secret) }
  } finally {
    key.fill(0)
  }
}

/** The bytes in a box; the caller overwrites them when they have been used. Throws KEYFILE_PASSWORD_WRONG, KEYFILE_PASSWORD_TOO_LONG. */
export async function openBox(sealed: SealedKey, password: Uint8Array): Promise<Uint8Array> {
  const key = await derive(password, sealed.salt, sealed.cost)
  try {
    return xsalsa20poly1305(key, sealed.nonce).decrypt(sealed.ciphertext)
  } catch {
    throw new KeyfileError('KEYFILE_PASSWORD_WRONG', 'the password does not open this key file', {
      expected: 'the password that the file was made with',
      hint: 'Check the password: a newline at its end belongs to what cosign reads from a pipe. If it is right, the file was changed.',
    })
  } finally {
    key.fill(0)
  }
}

function derive(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  if (password.length > MAX_PASSWORD_BYTES)
    throw new KeyfileError('KEYFILE_PASSWORD_TOO_LONG', `a password has at most ${MAX_PASSWORD_BYTES} bytes`)
  // 128·N·r bytes, and as much again as slack for OpenSSL's own estimate.
  const options = { N: cost, r: 8, p: 1, maxmem: 256 * cost * 8 }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, options, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}
