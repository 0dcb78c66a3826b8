import { createPublicKey, generateKeyPairSync, sign as nodeSign, type KeyObject } from 'node:crypto'
import type { HashAlgorithm, PublicKey, SignatureScheme, Signer } from '@touchmark/crypto'
import { parsePublicKeyDer } from '@touchmark/crypto'
import {
  context,
  derBitString,
  derBoolean,
  derElement,
  derExplicit,
  derInteger,
  DER_NULL,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  derTime,
  derUtf8String,
  TAG,
} from '@touchmark/encoding'
import { parseCertificate, type Certificate } from '@touchmark/x509'

export type TestKeyType = 'P-256' | 'P-384' | 'P-521' | 'RSA-1024' | 'RSA-2048' | 'RSA-4096' | 'Ed25519' | 'P-224'

/** A key pair for tests. `publicKey` is read on use: some of these keys are ones that must be refused. */
export interface TestKey {
  readonly spki: Uint8Array
  readonly type: TestKeyType
  readonly privateKey: KeyObject
}

const CURVES = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1', 'P-224': 'secp224r1' } as const
const NODE_HASH = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

export function makeKey(type: TestKeyType): TestKey {
  const { privateKey } =
    type === 'Ed25519'
      ? generateKeyPairSync('ed25519')
      : type.startsWith('RSA-')
        ? generateKeyPairSync('rsa', { modulusLength: Number(type.slice(4)) })
        : generateKeyPairSync('ec', { namedCurve: CURVES[type as keyof typeof CURVES] })
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { spki: new Uint8Array(spki), type, privateKey }
}

/** Signs as `hash` says; the scheme follows the key. */
export function signerOf(key: TestKey, hash: HashAlgorithm = 'SHA2_256'): Signer {
  const scheme: SignatureScheme =
    key.type === 'Ed25519'
      ? { kind: 'ed25519' }
      : key.type.startsWith('RSA-')
        ? { kind: 'rsa-pkcs1', hash }
        : { kind: 'ecdsa', hash }
  return {
    get publicKey(): PublicKey {
      return parsePublicKeyDer(key.spki)
    },
    scheme,
    sign: (message) => Promise.resolve(signBytes(key, hash, message)),
  }
}

export function signBytes(key: TestKey, hash: HashAlgorithm, message: Uint8Array): Uint8Array {
  return new Uint8Array(nodeSign(key.type === 'Ed25519' ? null : NODE_HASH[hash], message, key.privateKey))
}

export function makeName(organization: string, commonName: string): Uint8Array {
  return derSequence(
    derSetOf(derSequence(derOid('2.5.4.10'), derUtf8String(organization))),
    derSetOf(derSequence(derOid('2.5.4.3'), derUtf8String(commonName))),
  )
}

export function makeExtension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctetString(value))
}

export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
export const ANY_PURPOSE = '2.5.29.37.0'

/** Extended key usage. */
export function purposes(list: readonly string[], critical = false): Uint8Array {
  return makeExtension('2.5.29.37', derSequence(...list.map(derOid)), critical)
}

/** Key usage from its first octet. */
export function keyUsage(bits: number): Uint8Array {
  let unused = 0
  while (unused < 7 && ((bits >> unused) & 1) === 0) unused++
  return makeExtension('2.5.29.15', derElement(TAG.bitString, Uint8Array.of(unused, bits)), true)
}

export function basicConstraints(ca: boolean): Uint8Array {
  return makeExtension('2.5.29.19', ca ? derSequence(derBoolean(true)) : derSequence(), true)
}

export interface CertificateFields {
  readonly serialNumber: bigint | Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly spki: Uint8Array
  readonly extensions: readonly Uint8Array[]
  readonly issuerKey: TestKey
}

function signatureAlgorithmOf(key: TestKey): Uint8Array {
  if (key.type === 'Ed25519') return derSequence(derOid('1.3.101.112'))
  if (key.type.startsWith('RSA-')) return derSequence(derOid('1.2.840.113549.1.1.11'), DER_NULL)
  return derSequence(derOid('1.2.840.10045.4.3.2'))
}

/** A certificate of whatever is asked for, signed with SHA-256. */
export function makeCertificate(fields: CertificateFields): Certificate {
  const algorithm = signatureAlgorithmOf(fields.issuerKey)
  const serial =
    typeof fields.serialNumber === 'bigint'
      ? derInteger(fields.serialNumber)
      : derElement(TAG.integer, fields.serialNumber)
  const tbs = derSequence(
    derExplicit(0, derInteger(2n)),
    serial,
    algorithm,
    fields.issuer,
    derSequence(derTime(fields.notBefore), derTime(fields.notAfter)),
    fields.subject,
    fields.spki,
    ...(fields.extensions.length === 0 ? [] : [derElement(context(3), derSequence(...fields.extensions))]),
  )
  return parseCertificate(derSequence(tbs, algorithm, derBitString(signBytes(fields.issuerKey, 'SHA2_256', tbs))))
}
