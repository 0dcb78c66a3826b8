import { context, derElement, DerReader, EncodingError, TAG } from '@touchmark/encoding'
import { OID, readAlgorithm, type AlgorithmIdentifier } from './algorithms.js'
import { TimestampError } from './errors.js'

const MAX_CERTIFICATES = 16
const MAX_SIGNERS = 8
const MAX_ATTRIBUTES = 32

/** One attribute of a SignerInfo; `values` are the elements in its SET. */
export interface Attribute {
  readonly type: string
  readonly values: readonly Uint8Array[]
}

/** SignerInfo (RFC 5652 §5.3) whose signer is named by issuer and serial number. */
export interface SignerInfo {
  readonly version: bigint
  /** The issuer's Name in DER. */
  readonly issuer: Uint8Array
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
  readonly digestAlgorithm: AlgorithmIdentifier
  readonly signedAttributes: readonly Attribute[]
  /** What the signature is over: the attributes as they came, as a SET OF (tag 0x31; RFC 5652 §5.4). */
  readonly signedBytes: Uint8Array
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  /** The content of [1]; not looked at. */
  readonly unsignedAttributes?: Uint8Array
}

/** A timestamp token: SignedData (RFC 5652 §5.1) over a TSTInfo. */
export interface TimestampToken {
  readonly version: bigint
  readonly digestAlgorithms: readonly AlgorithmIdentifier[]
  /** DER of the TSTInfo: the content that messageDigest is over. */
  readonly tstInfoBytes: Uint8Array
  /** Certificates in DER as they came, not looked into; undefined when the field is absent. */
  readonly certificates?: readonly Uint8Array[]
  /** The content of [1]; not looked at. */
  readonly crls?: Uint8Array
  readonly signerInfos: readonly SignerInfo[]
}

function bad(why: string): EncodingError {
  return new EncodingError('DER_INVALID', why)
}

/** Reads ContentInfo { signedData, [0] SignedData }. Throws TIMESTAMP_CONTENT_TYPE or DER_INVALID. */
export function readToken(outer: DerReader): TimestampToken {
  const info = outer.sequence()
  const type = info.oid()
  if (type !== OID.signedData)
    throw new TimestampError('TIMESTAMP_CONTENT_TYPE', 'the token is no CMS SignedData', {
      expected: OID.signedData,
      found: type,
    })
  const wrapper = info.enter(context(0))
  info.end()
  const reader = wrapper.sequence()
  wrapper.end()
  const version = reader.integer(8)
  const digestAlgorithms = readList(reader.set(), MAX_SIGNERS, 'digest algorithms', readAlgorithm)
  const tstInfoBytes = readContent(reader.sequence())
  const certificates = reader.enterOptional(context(0))
  const list =
    certificates === undefined
      ? undefined
      : readList(certificates, MAX_CERTIFICATES, 'certificates', (set) => set.element(TAG.sequence).bytes)
  const crls = reader.optional(context(1))?.content
  const signerInfos = readList(reader.set(), MAX_SIGNERS, 'signers', (set) => readSignerInfo(set.sequence()))
  reader.end()
  return {
    version,
    digestAlgorithms,
    tstInfoBytes,
    ...(list === undefined ? {} : { certificates: list }),
    ...(crls === undefined ? {} : { crls }),
    signerInfos,
  }
}

function readList<T>(reader: DerReader, limit: number, what: string, read: (reader: DerReader) => T): T[] {
  const list: T[] = []
  while (!reader.done) {
    if (list.length === limit) throw bad(`more than ${limit} ${what}`)
    list.push(read(reader))
  }
  return list
}

function readContent(reader: DerReader): Uint8Array {
  const type = reader.oid()
  if (type !== OID.tstInfo)
    throw new TimestampError('TIMESTAMP_CONTENT_TYPE', 'what is signed is no TSTInfo', {
      expected: OID.tstInfo,
      found: type,
    })
  const wrapper = reader.enter(context(0))
  reader.end()
  const content = wrapper.octetString()
  wrapper.end()
  return content
}

function readSignerInfo(reader: DerReader): SignerInfo {
  const version = reader.integer(8)
  const sid = reader.sequence()
  const issuer = sid.element(TAG.sequence).bytes
  const serialNumber = sid.integerBytes()
  sid.end()
  const digestAlgorithm = readAlgorithm(reader)
  const attributes = reader.element(context(0))
  const signedBytes = derElement(TAG.set, attributes.content)
  const signedAttributes = readList(new DerReader(attributes.content), MAX_ATTRIBUTES, 'attributes', readAttribute)
  const signatureAlgorithm = readAlgorithm(reader)
  const signature = reader.octetString()
  const unsigned = reader.optional(context(1))?.content
  reader.end()
  return {
    version,
    issuer,
    serialNumber,
    digestAlgorithm,
    signedAttributes,
    signedBytes,
    signatureAlgorithm,
    signature,
    ...(unsigned === undefined ? {} : { unsignedAttributes: unsigned }),
  }
}

function readAttribute(set: DerReader): Attribute {
  const reader = set.sequence()
  const type = reader.oid()
  const values = readList(reader.set(), MAX_ATTRIBUTES, 'attribute values', (value) => value.any().bytes)
  reader.end()
  return { type, values }
}
