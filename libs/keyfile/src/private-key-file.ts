import { checkKeyStrength, defaultKeyDetails, type Signer } from '@touchmark/crypto'
import { privateKeyToPkcs8, signerFromPkcs8 } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import { closeBox, openBox } from './box.js'
import { KeyfileError } from './errors.js'
import { encodeSealedKey, parseSealedKey } from './sealed-key.js'

/**
 * Opens an encrypted private key file of cosign's format. The password is asked for only when the file can be read, and its bytes are overwritten
 * when they have been used. The signer signs as its key does by default: ECDSA with the hash of its curve's size, RSA PKCS#1 v1.5 with SHA-256, Ed25519ph.
 * Throws KEYFILE_INVALID, KEYFILE_UNSUPPORTED, KEYFILE_PASSWORD_WRONG, KEYFILE_PASSWORD_TOO_LONG, KEYFILE_KEY_UNSUPPORTED, and what `password` throws.
 */
export async function parsePrivateKey(file: Uint8Array, password: () => Promise<Uint8Array>): Promise<Signer> {
  const sealed = parseSealedKey(file)
  const given = await password()
  let pkcs8: Uint8Array | undefined
  try {
    pkcs8 = await openBox(sealed, given)
    return usableSigner(pkcs8)
  } finally {
    given.fill(0)
    pkcs8?.fill(0)
  }
}

/**
 * The file that holds a signer's key under a password, as `cosign generate-key-pair` writes it: PKCS#8 in a box. The password may be empty.
 * Throws KEYFILE_PASSWORD_TOO_LONG, and CRYPTO_PRIVATE_KEY_INVALID when the key is not in this process.
 */
export async function sealPrivateKey(signer: Signer, password: Uint8Array): Promise<string> {
  const pkcs8 = privateKeyToPkcs8(signer)
  try {
    return encodeSealedKey(await closeBox(pkcs8, password))
  } finally {
    pkcs8.fill(0)
  }
}

/**
 * The signer of a PKCS#8 private key, signing as such a key does by default. Throws KEYFILE_KEY_UNSUPPORTED for what is no PKCS#8, for kinds that bundles
 * are not signed with, and for weak keys.
 */
export function usableSigner(pkcs8: Uint8Array): Signer {
  try {
    const signer = signerFromPkcs8(pkcs8)
    checkKeyStrength(signer.publicKey)
    const { scheme } = defaultKeyDetails(signer.publicKey)
    return scheme.kind === signer.scheme.kind ? signer : signerFromPkcs8(pkcs8, scheme)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw unsupportedKey(cause.message, cause)
  }
}

export function unsupportedKey(found: string, cause?: unknown): KeyfileError {
  return new KeyfileError('KEYFILE_KEY_UNSUPPORTED', 'a key of this kind cannot be used', {
    cause,
    expected:
      'PKCS#8 of an ECDSA key on P-256, P-384 or P-521, an RSA key of 2048, 3072 or 4096 bits, or an Ed25519 key',
    found,
    hint: 'Make a key with `touchmark key generate`.',
  })
}
