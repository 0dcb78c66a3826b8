import type { CryptoPort, HashAlgorithm } from '@touchmark/crypto'
import type { DerReader } from '@touchmark/encoding'
import { context, equalBytes, readDer, TAG } from '@touchmark/encoding'
import type { Certificate } from '@touchmark/x509'
import { hashOfOid, OID, readAlgorithm } from './algorithms.js'
import type { TimestampAuthority } from './authority.js'
import { refusedAs, TimestampError } from './errors.js'
import type { SignerInfo } from './signed-data.js'

const MAX_CERT_IDS = 16

/** The value of a signed attribute that may have one only. */
export interface AttributeValue {
  readOid(): string
  readOctets(): Uint8Array
  readonly bytes: Uint8Array
}

function invalid(why: string): TimestampError {
  return new TimestampError('TIMESTAMP_ATTRIBUTES_INVALID', why, { check: 'timestamp' })
}

/** The one value of a signed attribute; undefined when it is absent. Throws TIMESTAMP_ATTRIBUTES_INVALID when it is repeated (RFC 5652 §11). */
export function signedAttribute(signer: SignerInfo, type: string): AttributeValue | undefined {
  const [attribute, second] = signer.signedAttributes.filter((one) => one.type === type)
  if (attribute === undefined) return undefined
  const bytes = attribute.values[0]
  if (second !== undefined || bytes === undefined || attribute.values.length !== 1)
    throw invalid(`the signed attribute ${type} does not have one value`)
  const read = <T>(parse: (reader: DerReader) => T): T =>
    refusedAs('TIMESTAMP_ATTRIBUTES_INVALID', `signed attribute ${type}`, () => readDer(bytes, parse))
  return {
    bytes,
    readOid: () => read((reader) => reader.oid()),
    readOctets: () => read((reader) => reader.octetString()),
  }
}

/** ESSCertIDv2 (RFC 5035 §4). */
interface CertId {
  readonly hashAlgorithm: HashAlgorithm | undefined
  readonly certHash: Uint8Array
  /** The issuer's Name and the serial number's content octets. */
  readonly issuerSerial?: { readonly issuer: Uint8Array; readonly serialNumber: Uint8Array }
}

function readCertId(list: DerReader): CertId {
  const reader = list.sequence()
  const algorithm = reader.peek() === TAG.sequence ? readAlgorithm(reader).oid : undefined
  const hashAlgorithm = algorithm === undefined ? 'SHA2_256' : hashOfOid(algorithm)
  const certHash = reader.octetString()
  const names = reader.enterOptional(TAG.sequence)
  reader.end()
  if (names === undefined) return { hashAlgorithm, certHash }
  const general = names.sequence()
  const directory = general.enter(context(4))
  general.end()
  const issuer = directory.element(TAG.sequence).bytes
  directory.end()
  const serialNumber = names.integerBytes()
  names.end()
  return { hashAlgorithm, certHash, issuerSerial: { issuer, serialNumber } }
}

function readCertIds(reader: DerReader): CertId[] {
  const outer = reader.sequence()
  const list = outer.sequence()
  if (!outer.done) outer.sequence()
  outer.end()
  const ids: CertId[] = []
  do {
    if (ids.length === MAX_CERT_IDS) throw invalid(`more than ${MAX_CERT_IDS} certificate identifiers`)
    ids.push(readCertId(list))
  } while (!list.done)
  return ids
}

/**
 * signingCertificateV2 must name the authority's leaf first, by hash and, where given, by issuer and serial number; further identifiers must be of
 * the authority's other certificates (RFC 5035 §5.4, RFC 5816). Throws TIMESTAMP_SIGNING_CERTIFICATE_*.
 */
export function checkSigningCertificate(signer: SignerInfo, authority: TimestampAuthority, crypto: CryptoPort): void {
  const attribute = signedAttribute(signer, OID.signingCertificateV2)
  if (attribute === undefined)
    throw new TimestampError(
      'TIMESTAMP_SIGNING_CERTIFICATE_MISSING',
      'the signed attribute signingCertificateV2 is missing',
      {
        check: 'timestamp',
      },
    )
  const ids = refusedAs('TIMESTAMP_ATTRIBUTES_INVALID', 'signingCertificateV2', () =>
    readDer(attribute.bytes, readCertIds),
  )
  const others = [...authority.intermediates, authority.root]
  for (const [index, id] of ids.entries()) {
    const allowed = index === 0 ? [authority.leaf] : others
    if (!allowed.some((certificate) => identifies(id, certificate, crypto)))
      throw new TimestampError(
        'TIMESTAMP_SIGNING_CERTIFICATE_MISMATCH',
        "signingCertificateV2 does not name the authority's certificate",
        { check: 'timestamp' },
      )
  }
}

function identifies(id: CertId, certificate: Certificate, crypto: CryptoPort): boolean {
  if (id.hashAlgorithm === undefined)
    throw new TimestampError('TIMESTAMP_ALGORITHM_UNSUPPORTED', 'signingCertificateV2 has an unsupported hash', {
      check: 'timestamp',
    })
  if (!equalBytes(crypto.hash(id.hashAlgorithm, certificate.der), id.certHash)) return false
  if (id.issuerSerial === undefined) return true
  return (
    equalBytes(id.issuerSerial.issuer, certificate.issuer) &&
    equalBytes(id.issuerSerial.serialNumber, certificate.serialNumber)
  )
}
