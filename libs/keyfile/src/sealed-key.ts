import { base64Decode, base64Encode, parseJson, pemEncode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { KeyfileError } from './errors.js'
import { MAX_KEY_FILE_BYTES, onlyBlock } from './pem-file.js'

/** What cosign writes, and what it wrote before; both are read. */
const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'
const LABELS: readonly string[] = [LABEL, 'ENCRYPTED COSIGN PRIVATE KEY']

/** scrypt's N; r is 8 and p is 1. The only ones cosign reads: a file can ask for no more than 128 MiB. */
const COSTS = [32768, 65536, 131072] as const
export type ScryptCost = (typeof COSTS)[number]

export const NONCE_BYTES = 24
/** Poly1305's tag, before the ciphertext. */
export const TAG_BYTES = 16

/** An encrypted private key as its file holds it (contract/bundle-and-oci.md §6). Nothing of it is secret, and nothing proven. */
export interface SealedKey {
  readonly cost: ScryptCost
  /** 32 bytes from current clients; any length is read. */
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  /** Tag, then the encrypted PKCS#8. */
  readonly ciphertext: Uint8Array
}

/**
 * Reads the file of an encrypted private key; nothing is derived or decrypted, and its numbers are compared with those that are known.
 * Throws KEYFILE_INVALID, KEYFILE_UNSUPPORTED.
 */
export function parseSealedKey(file: Uint8Array): SealedKey {
  if (file.length > MAX_KEY_FILE_BYTES) throw invalid(`more than ${MAX_KEY_FILE_BYTES} bytes`)
  try {
    const block = onlyBlock(file)
    if (block === undefined) throw invalid('not one PEM block')
    if (!LABELS.includes(block.label)) throw otherLabel(block.label)
    return fromJson(parseJson(block.bytes))
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof KeyfileError) throw cause
    throw invalid(cause.message, cause)
  }
}

function fromJson(json: JsonValue): SealedKey {
  const kdf = member(json, 'kdf')
  const cipher = member(json, 'cipher')
  const kdfName = text(member(kdf, 'name'))
  if (kdfName !== 'scrypt') throw unsupported('key derivation', 'scrypt', kdfName)
  const cipherName = text(member(cipher, 'name'))
  if (cipherName !== 'nacl/secretbox') throw unsupported('cipher', 'nacl/secretbox', cipherName)
  const params = member(kdf, 'params')
  const [n, r, p] = [member(params, 'N'), member(params, 'r'), member(params, 'p')]
  const cost = COSTS.find((known) => known === n)
  if (cost === undefined || r !== 8 || p !== 1) {
    const found = `N ${JSON.stringify(n)}, r ${JSON.stringify(r)}, p ${JSON.stringify(p)}`.slice(0, 100)
    throw unsupported('scrypt parameters', 'N 32768, 65536 or 131072, r 8, p 1', found)
  }
  const salt = base64Decode(text(member(kdf, 'salt')))
  const nonce = base64Decode(text(member(cipher, 'nonce')))
  const ciphertext = base64Decode(text(member(json, 'ciphertext')))
  if (nonce.length !== NONCE_BYTES) throw invalid(`a nonce of ${nonce.length} bytes`)
  if (ciphertext.length < TAG_BYTES) throw invalid(`a ciphertext of ${ciphertext.length} bytes`)
  return { cost, salt, nonce, ciphertext }
}

/** The file of an encrypted private key, byte by byte as cosign writes it. */
export function encodeSealedKey({ cost, salt, nonce, ciphertext }: SealedKey): string {
  const json = {
    kdf: { name: 'scrypt', params: { N: cost, r: 8, p: 1 }, salt: base64Encode(salt) },
    cipher: { name: 'nacl/secretbox', nonce: base64Encode(nonce) },
    ciphertext: base64Encode(ciphertext),
  }
  return pemEncode(LABEL, utf8Encode(JSON.stringify(json)))
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    throw invalid(`no member "${name}"`)
  return (value as Readonly<Record<string, JsonValue>>)[name]
}

function text(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw invalid('a member that is no text')
  return value
}

function otherLabel(label: string): KeyfileError {
  if (label === 'PUBLIC KEY')
    return new KeyfileError('KEYFILE_INVALID', 'this is a public key; signing takes the private one', {
      expected: `PEM "${LABEL}"`,
      found: `PEM "${label}"`,
    })
  return new KeyfileError('KEYFILE_INVALID', 'the private key is not in an encrypted key file as cosign makes them', {
    expected: `PEM "${LABEL}"`,
    found: `PEM "${label}"`,
    hint: 'Bring the key into such a file with `touchmark key import --key FILE`.',
  })
}

function unsupported(what: string, expected: string, found: string): KeyfileError {
  return new KeyfileError('KEYFILE_UNSUPPORTED', `the key file's ${what} cannot be used`, {
    expected,
    found: found.slice(0, 100),
    hint: 'Make the file again with `touchmark key import` or `cosign import-key-pair`.',
  })
}

function invalid(found: string, cause?: unknown): KeyfileError {
  return new KeyfileError('KEYFILE_INVALID', 'this is not an encrypted key file as cosign makes them', {
    cause,
    expected: `one PEM block "${LABEL}"`,
    found,
  })
}
