import { derExplicit, derSequence, derSetOf, derTime, derOid, derUtf8String, derBitString } from '@touchmark/encoding'
import type { Signer } from '@touchmark/crypto'
import { generateSigner } from '@touchmark/crypto/node'
import { algorithmIdentifier } from '../algorithms.js'
import { parseCertificate } from '../certificate.js'
import type { Certificate } from '../certificate.js'
import * as encode from '../encode.js'

/** Fields of a certificate as DER, for making ones that no builder of ours would make. */
export interface RawFields {
  version: Uint8Array
  serial: Uint8Array
  algorithm: Uint8Array
  issuer: Uint8Array
  validity: Uint8Array
  subject: Uint8Array
  spki: Uint8Array
  uniqueIds: Uint8Array
  extensions: readonly Uint8Array[] | undefined
}

export const P256 = { kind: 'ecdsa', curve: 'P-256' } as const

/** A Name with one common name. */
export function commonName(text: string): Uint8Array {
  return derSequence(derSetOf(derSequence(derOid('2.5.4.3'), derUtf8String(text))))
}

/** A Validity; times are ISO strings. */
export function dates(notBefore: string, notAfter: string): Uint8Array {
  return derSequence(derTime(new Date(notBefore)), derTime(new Date(notAfter)))
}

export function rawTbs(fields: RawFields): Uint8Array {
  const { version, serial, algorithm, issuer, validity, subject, spki, uniqueIds, extensions } = fields
  const wrapped = extensions === undefined ? [] : [derExplicit(3, derSequence(...extensions))]
  return derSequence(version, serial, algorithm, issuer, validity, subject, spki, uniqueIds, ...wrapped)
}

/** A certificate whose signature is nonsense, for tests of the parser. */
export function unsigned(tbs: Uint8Array, algorithm: Uint8Array): Uint8Array {
  return derSequence(tbs, algorithm, derBitString(Uint8Array.of(1, 2, 3)))
}

/** Fields of an ordinary end entity certificate, to be changed by a test. */
export function plainFields(signer: Signer, changes: Partial<RawFields> = {}): RawFields {
  return {
    version: encode.VERSION_3,
    serial: encode.serialInteger(Uint8Array.of(0x11, 0x22)),
    algorithm: algorithmIdentifier(signer.scheme),
    issuer: commonName('issuer'),
    validity: dates('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'),
    subject: commonName('subject'),
    spki: signer.publicKey.spki,
    uniqueIds: new Uint8Array(),
    extensions: [encode.KEY_USAGE_SIGNATURE],
    ...changes,
  }
}

/** A certificate and the key it is for. */
export interface Entity {
  readonly certificate: Certificate
  readonly signer: Signer
}

export interface EntityOptions extends Partial<RawFields> {
  readonly issuedBy?: Entity
  readonly name: string
  readonly signer?: Signer
}

/** Makes a properly signed certificate with any fields; self-signed unless `issuedBy`. */
export async function entity(options: EntityOptions): Promise<Entity> {
  const { issuedBy, name, signer = generateSigner(P256), ...changes } = options
  const issuing = issuedBy?.signer ?? signer
  const fields = plainFields(signer, {
    issuer: issuedBy?.certificate.subject ?? commonName(name),
    subject: commonName(name),
    ...changes,
    algorithm: algorithmIdentifier(issuing.scheme),
  })
  const tbs = rawTbs(fields)
  const der = encode.assembleCertificate(tbs, fields.algorithm, await issuing.sign(tbs))
  return { certificate: parseCertificate(der), signer }
}
