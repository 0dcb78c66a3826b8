import type { HashAlgorithm } from '@touchmark/crypto'
import {
  context,
  derBoolean,
  derElement,
  derExplicit,
  derInteger,
  derOctetString,
  derOid,
  DerReader,
  derSequence,
  EncodingError,
  readDer,
  TAG,
} from '@touchmark/encoding'
import { encodeAlgorithm, hashOfOid, readAlgorithm, type AlgorithmIdentifier } from './algorithms.js'
import { refusedAs } from './errors.js'

const MAX_EXTENSIONS = 64

/** Accuracy of RFC 3161 §2.4.2; what is left out is zero. */
export interface Accuracy {
  readonly seconds?: bigint
  readonly millis?: number
  readonly micros?: number
}

/** TSTInfo (RFC 3161 §2.4.2), what a timestamp token says. */
export interface TstInfo {
  readonly policy: string
  readonly imprintAlgorithm: AlgorithmIdentifier
  /** The imprint's hash; undefined when it is none that is supported here. */
  readonly hashAlgorithm?: HashAlgorithm
  readonly digest: Uint8Array
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
  readonly genTime: Date
  /** GeneralizedTime as text: it may have a fraction finer than a Date. */
  readonly genTimeText: string
  readonly accuracy?: Accuracy
  readonly ordering: boolean
  /** Content octets of the INTEGER. */
  readonly nonce?: Uint8Array
  /** The GeneralName inside [0]. */
  readonly tsa?: Uint8Array
  /** Extension elements; undefined when the field is absent. */
  readonly extensions?: readonly Uint8Array[]
}

/** Reads a TSTInfo in strict DER: version 1, no explicit default, nothing after the last field. Throws TIMESTAMP_RESPONSE_INVALID. */
export function parseTstInfo(der: Uint8Array): TstInfo {
  return refusedAs('TIMESTAMP_RESPONSE_INVALID', 'TSTInfo', () => readDer(der, readTstInfo))
}

function readTstInfo(outer: DerReader): TstInfo {
  const reader = outer.sequence()
  if (reader.integer(8) !== 1n) throw bad('version is not 1')
  const policy = reader.oid()
  const imprint = reader.sequence()
  const imprintAlgorithm = readAlgorithm(imprint)
  const digest = imprint.octetString()
  imprint.end()
  const serialNumber = reader.integerBytes()
  const genTimeText = readGenTime(reader)
  const accuracy = reader.enterOptional(TAG.sequence)
  const accuracyValue = accuracy === undefined ? undefined : readAccuracy(accuracy)
  const ordering = reader.peek() === TAG.boolean
  if (ordering && !reader.boolean()) throw bad('ordering FALSE is written out')
  const nonce = reader.peek() === TAG.integer ? reader.integerBytes() : undefined
  const tsa = readTsa(reader.enterOptional(context(0)))
  const extensions = readExtensions(reader.enterOptional(context(1)))
  reader.end()
  const hashAlgorithm = hashOfOid(imprintAlgorithm.oid)
  return {
    policy,
    imprintAlgorithm,
    ...(hashAlgorithm === undefined ? {} : { hashAlgorithm }),
    digest,
    serialNumber,
    genTime: dateOf(genTimeText),
    genTimeText,
    ...(accuracyValue === undefined ? {} : { accuracy: accuracyValue }),
    ordering,
    ...(nonce === undefined ? {} : { nonce }),
    ...(tsa === undefined ? {} : { tsa }),
    ...(extensions === undefined ? {} : { extensions }),
  }
}

function bad(why: string): EncodingError {
  return new EncodingError('DER_INVALID', why)
}

/** GeneralizedTime in UTC with seconds and, when there is one, a fraction of 1 to 9 digits that does not end in 0 (X.690 §11.7). */
function readGenTime(reader: DerReader): string {
  const { content } = reader.element(TAG.generalizedTime)
  const text = content.length > 25 ? '' : String.fromCharCode(...content)
  if (!/^\d{14}(\.\d{0,8}[1-9])?Z$/.test(text)) throw bad('genTime has no right form')
  return text
}

/** Whole milliseconds; what is finer is cut off. */
function dateOf(text: string): Date {
  const whole = new TextEncoder().encode(text.slice(0, 14) + 'Z')
  const time = new DerReader(derElement(TAG.generalizedTime, whole)).time()
  const fraction = text.slice(15, -1).padEnd(3, '0').slice(0, 3)
  return new Date(time.getTime() + Number(fraction))
}

function readAccuracy(reader: DerReader): Accuracy {
  const seconds = reader.peek() === TAG.integer ? reader.integer(8) : undefined
  const millis = readFraction(reader, 0)
  const micros = readFraction(reader, 1)
  reader.end()
  return {
    ...(seconds === undefined ? {} : { seconds }),
    ...(millis === undefined ? {} : { millis }),
    ...(micros === undefined ? {} : { micros }),
  }
}

function readFraction(reader: DerReader, number: number): number | undefined {
  if (reader.peek() !== context(number, false)) return undefined
  const octets = reader.integerBytes(context(number, false))
  const value = octets.length > 2 || octets[0]! >= 0x80 ? 0 : octets.reduce((sum, octet) => sum * 256 + octet, 0)
  if (value < 1 || value > 999) throw bad('accuracy is out of range')
  return value
}

function readTsa(reader: DerReader | undefined): Uint8Array | undefined {
  if (reader === undefined) return undefined
  const { bytes } = reader.any()
  reader.end()
  return bytes
}

function readExtensions(reader: DerReader | undefined): Uint8Array[] | undefined {
  if (reader === undefined) return undefined
  const extensions: Uint8Array[] = []
  while (!reader.done) {
    if (extensions.length === MAX_EXTENSIONS) throw bad(`more than ${MAX_EXTENSIONS} extensions`)
    extensions.push(reader.element(TAG.sequence).bytes)
  }
  if (extensions.length === 0) throw bad('the list of extensions is empty')
  return extensions
}

/** Writes a TSTInfo; `encodeTstInfo(parseTstInfo(der))` gives the same bytes. */
export function encodeTstInfo(info: Omit<TstInfo, 'genTime' | 'hashAlgorithm'>): Uint8Array {
  const parts = [
    derInteger(1n),
    derOid(info.policy),
    derSequence(encodeAlgorithm(info.imprintAlgorithm), derOctetString(info.digest)),
    derElement(TAG.integer, info.serialNumber),
    derElement(TAG.generalizedTime, new TextEncoder().encode(info.genTimeText)),
  ]
  if (info.accuracy !== undefined) parts.push(encodeAccuracy(info.accuracy))
  if (info.ordering) parts.push(derBoolean(true))
  if (info.nonce !== undefined) parts.push(derElement(TAG.integer, info.nonce))
  if (info.tsa !== undefined) parts.push(derExplicit(0, info.tsa))
  if (info.extensions !== undefined) parts.push(derElement(context(1), ...info.extensions))
  return derSequence(...parts)
}

function encodeAccuracy({ seconds, millis, micros }: Accuracy): Uint8Array {
  const parts: Uint8Array[] = []
  if (seconds !== undefined) parts.push(derInteger(seconds))
  for (const [number, value] of [millis, micros].entries())
    if (value !== undefined) parts.push(derElement(context(number, false), derInteger(value).subarray(2)))
  return derSequence(...parts)
}
