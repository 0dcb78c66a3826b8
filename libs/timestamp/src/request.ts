import type { HashAlgorithm } from '@touchmark/crypto'
import type { DerReader } from '@touchmark/encoding'
import {
  context,
  derBoolean,
  derElement,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  readDer,
  TAG,
} from '@touchmark/encoding'
import { DIGEST_BYTES, hashAlgorithmWithNull, hashOfOid, OID, readOid } from './algorithms.js'
import { refusedAs, TimestampError } from './errors.js'

/** A timestamp query that was read, whichever form it had. Its hash is known and its digest has that hash's length. */
export interface TimestampRequest {
  readonly hashAlgorithm: HashAlgorithm
  readonly digest: Uint8Array
  /** Dotted decimal. */
  readonly policy?: string
  /** Content octets of the INTEGER, any size and sign, minimal. */
  readonly nonce?: Uint8Array
  readonly certReq: boolean
  /** Extension elements in DER, in the order of the request; `critical FALSE` is dropped. */
  readonly extensions: readonly Uint8Array[]
}

/**
 * Reads a DER TimeStampReq (RFC 3161 §2.4.1) as tsa.md §2 says: strict tags, lengths, integers and booleans, nothing after the outer SEQUENCE;
 * lenient on the version, hash parameters, an explicit `certReq FALSE`, an empty extension list and further elements inside the outer SEQUENCE.
 * Throws TIMESTAMP_REQUEST_INVALID, _WEAK_HASH (SHA-1) or _DIGEST_LENGTH.
 */
export function parseTimestampRequest(der: Uint8Array): TimestampRequest {
  const { oid, ...fields } = refusedAs('TIMESTAMP_REQUEST_INVALID', 'timestamp request', () =>
    readDer(der, readRequest),
  )
  if (fields.digest.length === 0) throw new TimestampError('TIMESTAMP_REQUEST_INVALID', 'the digest is empty')
  if (oid === OID.sha1) throw weakHash()
  const hashAlgorithm = hashOfOid(oid)
  if (hashAlgorithm === undefined) throw new TimestampError('TIMESTAMP_REQUEST_INVALID', `hash ${oid} is not supported`)
  checkDigestLength(hashAlgorithm, fields.digest)
  return { hashAlgorithm, ...fields }
}

function readRequest(reader: DerReader): Omit<TimestampRequest, 'hashAlgorithm'> & { oid: string } {
  const outer = reader.sequence()
  outer.integer(8)
  const imprint = outer.sequence()
  const algorithm = imprint.sequence()
  const oid = readOid(algorithm)
  drain(algorithm)
  const digest = imprint.octetString()
  imprint.end()
  const policy = outer.peek() === TAG.oid ? outer.oid() : undefined
  const nonce = outer.peek() === TAG.integer ? outer.integerBytes() : undefined
  const certReq = outer.peek() === TAG.boolean ? outer.boolean() : false
  const extensions: Uint8Array[] = []
  const list = outer.enterOptional(context(0))
  while (list !== undefined && !list.done) extensions.push(readExtension(list.sequence()))
  drain(outer)
  return {
    oid,
    digest,
    certReq,
    extensions,
    ...(policy === undefined ? {} : { policy }),
    ...(nonce === undefined ? {} : { nonce }),
  }
}

function readExtension(reader: DerReader): Uint8Array {
  const oid = reader.element(TAG.oid).bytes
  const critical = reader.peek() === TAG.boolean && reader.boolean()
  const value = reader.element(TAG.octetString).bytes
  reader.end()
  return critical ? derSequence(oid, derBoolean(true), value) : derSequence(oid, value)
}

function drain(reader: DerReader): void {
  while (!reader.done) reader.any()
}

export function weakHash(): TimestampError {
  return new TimestampError('TIMESTAMP_REQUEST_WEAK_HASH', 'Weak hash algorithm in timestamp request')
}

export function checkDigestLength(hash: HashAlgorithm, digest: Uint8Array): void {
  if (digest.length === DIGEST_BYTES[hash]) return
  throw new TimestampError(
    'TIMESTAMP_REQUEST_DIGEST_LENGTH',
    'Message digest has incorrect length for specified algorithm',
  )
}

/** What {@link encodeTimestampRequest} needs. `nonce` is copied into the token by the authority; compare it when the token comes back. */
export interface TimestampQuery {
  readonly hashAlgorithm: HashAlgorithm
  readonly digest: Uint8Array
  readonly policy?: string
  readonly nonce?: bigint
  readonly certReq?: boolean
  readonly extensions?: readonly Uint8Array[]
}

/** Writes a DER TimeStampReq, version 1. */
export function encodeTimestampRequest(query: TimestampQuery): Uint8Array {
  const parts = [derInteger(1n), derSequence(hashAlgorithmWithNull(query.hashAlgorithm), derOctetString(query.digest))]
  if (query.policy !== undefined) parts.push(derOid(query.policy))
  if (query.nonce !== undefined) parts.push(derInteger(query.nonce))
  if (query.certReq === true) parts.push(derBoolean(true))
  if (query.extensions !== undefined && query.extensions.length > 0)
    parts.push(derElement(context(0), ...query.extensions))
  return derSequence(...parts)
}
