import { DER_NULL, derBitString, derOid, derSequence, pemDecodeAll, readDer, TAG } from '@touchmark/encoding'
import type { DerReader } from '@touchmark/encoding'
import { bitLength, bytesToBigInt } from './big-integers.js'
import { CURVES, decodePoint, P224 } from './curves.js'
import { CryptoError } from './errors.js'
import type { Curve, PublicKey } from './types.js'

const OID = {
  ec: '1.2.840.10045.2.1',
  rsa: '1.2.840.113549.1.1.1',
  ed25519: '1.3.101.112',
  x25519: '1.3.101.110',
  dsa: '1.2.840.10040.4.1',
} as const

/** More than the SPKI of an RSA key of {@link MAX_MODULUS_BITS} takes. */
const MAX_SPKI_BYTES = 4096
const MAX_MODULUS_BITS = 16384
/** Go's crypto/rsa takes no larger one; it also bounds what one verification costs. */
const MAX_RSA_EXPONENT = 2n ** 31n - 1n
const MAX_PEM_CHARACTERS = 64 * 1024

/**
 * Parses a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) from bytes of an enemy; it takes one encoding per key (contract log-v2.md §3.2):
 * strict DER and nothing behind it; EC by named curve P-256, P-384 or P-521, uncompressed and on the curve; RSA with NULL parameters;
 * Ed25519 without parameters. Says nothing about strength: see checkKeyStrength.
 * Throws CRYPTO_KEY_UNPARSABLE, and CRYPTO_KEY_UNSUPPORTED for well-formed keys of P-224, X25519 and DSA.
 */
export function parsePublicKeyDer(spki: Uint8Array): PublicKey {
  if (spki.length > MAX_SPKI_BYTES) throw unparsable(`longer than ${MAX_SPKI_BYTES} bytes`)
  // A copy: the caller may hand over a view of a buffer that is used again.
  const copy = new Uint8Array(spki)
  try {
    return readDer(copy, (reader) => readSpki(reader, copy))
  } catch (error) {
    if (error instanceof CryptoError) throw error
    throw unparsable('not the DER of a SubjectPublicKeyInfo', error)
  }
}

function readSpki(reader: DerReader, spki: Uint8Array): PublicKey {
  const info = reader.sequence()
  const algorithm = info.sequence()
  const oid = algorithm.oid()
  const keyBits = info.bitString()
  info.end()
  switch (oid) {
    case OID.ec:
      return readEcKey(algorithm, keyBits, spki)
    case OID.rsa:
      algorithm.null()
      algorithm.end()
      return readRsaKey(keyBits, spki)
    case OID.ed25519:
      algorithm.end()
      if (keyBits.length !== 32) throw unparsable('an Ed25519 key has 32 bytes')
      return { type: { kind: 'ed25519' }, spki, keyBits }
    case OID.x25519:
      algorithm.end()
      if (keyBits.length !== 32) throw unparsable('an X25519 key has 32 bytes')
      throw unsupported('X25519 keys cannot sign')
    case OID.dsa:
      return readDsaKey(algorithm, keyBits)
    default:
      throw unparsable(`keys of algorithm ${oid} are not known`)
  }
}

function readEcKey(algorithm: DerReader, keyBits: Uint8Array, spki: Uint8Array): PublicKey {
  const oid = algorithm.oid()
  algorithm.end()
  for (const curve of Object.keys(CURVES) as Curve[]) {
    if (CURVES[curve].oid !== oid) continue
    if (decodePoint(CURVES[curve], keyBits) === undefined) throw unparsable(`not an uncompressed point on ${curve}`)
    return { type: { kind: 'ecdsa', curve }, spki, keyBits }
  }
  if (oid === P224.oid && decodePoint(P224, keyBits) !== undefined) throw unsupported('P-224 is too weak')
  throw unparsable(`not a point on a curve that is known (${oid})`)
}

function readRsaKey(keyBits: Uint8Array, spki: Uint8Array): PublicKey {
  const { modulus, exponent } = readDer(keyBits, (reader) => {
    const key = reader.sequence()
    const numbers = { modulus: key.integerBytes(), exponent: key.integer(8) }
    key.end()
    return numbers
  })
  const bits = bitLength(bytesToBigInt(modulus))
  if (modulus[0]! >= 0x80 || bits === 0) throw unparsable('the RSA modulus is not positive')
  if (bits > MAX_MODULUS_BITS) throw unparsable(`the RSA modulus has more than ${MAX_MODULUS_BITS} bits`)
  if (exponent <= 0n || exponent > MAX_RSA_EXPONENT) throw unparsable('the RSA exponent is not between 1 and 2^31 - 1')
  const magnitude = modulus[0] === 0 ? modulus.subarray(1) : modulus
  return { type: { kind: 'rsa', modulusBits: bits }, spki, keyBits, rsa: { modulus: magnitude, exponent } }
}

function readDsaKey(algorithm: DerReader, keyBits: Uint8Array): never {
  const parameters = algorithm.sequence()
  const numbers = [parameters.integer(), parameters.integer(), parameters.integer()]
  parameters.end()
  algorithm.end()
  numbers.push(readDer(keyBits, (reader) => reader.integer()))
  if (numbers.some((number) => number <= 0n)) throw unparsable('a number of the DSA key is not positive')
  throw unsupported('DSA keys are not taken')
}

/**
 * Parses the first PEM block of a text as the CA takes it (contract ca.md §2): `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1, whose
 * SPKI is then built). Text around the block, CRLF, PEM headers and long lines are fine.
 * Throws CRYPTO_KEY_UNPARSABLE, and CRYPTO_KEY_WEAK where parsePublicKeyDer says CRYPTO_KEY_UNSUPPORTED: to a CA both are "insecure".
 */
export function parsePublicKeyPem(text: string): PublicKey {
  if (text.length > MAX_PEM_CHARACTERS) throw unparsable(`longer than ${MAX_PEM_CHARACTERS} characters`)
  const block = firstBlock(text)
  try {
    if (block?.label === 'PUBLIC KEY') return parsePublicKeyDer(block.bytes)
    if (block?.label === 'RSA PUBLIC KEY') return parsePublicKeyDer(rsaSpki(block.bytes))
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'CRYPTO_KEY_UNSUPPORTED')
      throw new CryptoError('CRYPTO_KEY_WEAK', error.message, { cause: error })
    throw error
  }
  throw unparsable('no PEM block "PUBLIC KEY" or "RSA PUBLIC KEY" comes first')
}

function firstBlock(text: string): { label: string; bytes: Uint8Array } | undefined {
  // What follows the first block is not looked at, broken or not.
  const end = /^-----END [A-Z0-9 ]{1,64}-----/m.exec(text)
  if (end === null) return undefined
  try {
    return pemDecodeAll(text.slice(0, end.index + end[0].length), 1)[0]
  } catch (error) {
    throw unparsable('the PEM block is broken', error)
  }
}

/** The SubjectPublicKeyInfo around an RSAPublicKey (RFC 8017 §A.1.1). */
function rsaSpki(pkcs1: Uint8Array): Uint8Array {
  if (pkcs1[0] !== TAG.sequence) throw unparsable('not the DER of an RSA public key')
  return derSequence(derSequence(derOid(OID.rsa), DER_NULL), derBitString(pkcs1))
}

function unparsable(why: string, cause?: unknown): CryptoError {
  return new CryptoError('CRYPTO_KEY_UNPARSABLE', `public key: ${why}`, { cause })
}

function unsupported(why: string): CryptoError {
  return new CryptoError('CRYPTO_KEY_UNSUPPORTED', `public key: ${why}`)
}
