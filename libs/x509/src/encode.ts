import { sha1 } from '@noble/hashes/legacy.js'
import {
  context,
  DER_NULL,
  derBitString,
  derBoolean,
  derElement,
  derExplicit,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derTime,
  TAG,
} from '@touchmark/encoding'
import type { PublicKey } from '@touchmark/crypto'
import { EXTENSION_OID, PURPOSE_OID } from './oids.js'
import type { Purpose } from './oids.js'

/** Parts that every certificate written here is made of. */
export const VERSION_3 = derExplicit(0, derInteger(2))

const OIDS = new Map(Object.values(EXTENSION_OID).map((oid) => [oid as string, derOid(oid)]))
const CRITICAL = derBoolean(true)

/** One Extension; `critical FALSE` is the default and not written. */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const id = OIDS.get(oid) ?? derOid(oid)
  return critical ? derSequence(id, CRITICAL, derOctetString(value)) : derSequence(id, derOctetString(value))
}

export const KEY_USAGE_SIGNATURE = extension(EXTENSION_OID.keyUsage, true, Uint8Array.of(0x03, 0x02, 0x07, 0x80))
export const KEY_USAGE_CA = extension(EXTENSION_OID.keyUsage, true, Uint8Array.of(0x03, 0x02, 0x01, 0x06))
export const POISON = extension(EXTENSION_OID.poison, true, DER_NULL)

export function extKeyUsage(purpose: Purpose, critical: boolean): Uint8Array {
  return extension(EXTENSION_OID.extKeyUsage, critical, derSequence(derOid(PURPOSE_OID[purpose])))
}

export function caConstraints(pathLength: number | undefined): Uint8Array {
  const limit = pathLength === undefined ? [] : [derInteger(pathLength)]
  return extension(EXTENSION_OID.basicConstraints, true, derSequence(CRITICAL, ...limit))
}

/** RFC 5280 §4.2.1.2 method 1: SHA-1 of the subjectPublicKey bits. A name for a key, not a protection. */
export function keyIdentifier(key: PublicKey): Uint8Array {
  return sha1(key.keyBits)
}

export function subjectKeyId(keyId: Uint8Array): Uint8Array {
  return extension(EXTENSION_OID.subjectKeyIdentifier, false, derOctetString(keyId))
}

export function authorityKeyId(keyId: Uint8Array): Uint8Array {
  return extension(EXTENSION_OID.authorityKeyIdentifier, false, derSequence(derElement(context(0, false), keyId)))
}

export function validity(notBefore: Date, notAfter: Date): Uint8Array {
  return derSequence(derTime(notBefore), derTime(notAfter))
}

/** INTEGER from content octets that are minimal already. */
export function serialInteger(serial: Uint8Array): Uint8Array {
  return derElement(TAG.integer, serial)
}

/** Certificate from its signed parts. */
export function assembleCertificate(tbs: Uint8Array, algorithm: Uint8Array, signature: Uint8Array): Uint8Array {
  return derSequence(tbs, algorithm, derBitString(signature))
}
