import { base64Encode } from '@touchmark/encoding'
import { HASH_ALGORITHMS, PUBLIC_KEY_DETAILS, type HashAlgorithm, type KeyDetailsName } from '@touchmark/crypto'
import { checkMediaType, decodeFile, messagesOf, missing, rangeOf, textOf, type Decoded } from './decoded.js'
import { TrustError } from './errors.js'
import { trustedRootSchema } from './schema.js'
import { formatTime, type TimeRange } from './time-range.js'

/** The one media type that every client reads (contract/trust.md §1.2). */
export const TRUSTED_ROOT_MEDIA_TYPE = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'
const MEDIA_TYPES = [TRUSTED_ROOT_MEDIA_TYPE, 'application/vnd.dev.sigstore.trustedroot.v0.2+json']

type AnyHash = HashAlgorithm | 'SHA3_256' | 'SHA3_384'

/** A transparency log, or a certificate log, and the period in which its key was used. */
export interface LogInstance {
  readonly baseUrl: string
  readonly hashAlgorithm: AnyHash
  readonly publicKey: {
    /** SPKI DER; PKCS#1 for the two `PKCS1_…` kinds. Not parsed yet. */
    readonly rawBytes: Uint8Array
    readonly keyDetails: KeyDetailsName
    readonly validFor: TimeRange
  }
  /** What entries and SCTs of this log name it by; 32 bytes in every real file. */
  readonly logId: Uint8Array
}

/** A certificate or timestamp authority. */
export interface Authority {
  readonly subject: { readonly organization: string; readonly commonName: string }
  readonly uri: string
  /** DER. CA: intermediates, then the root, no leaf. TSA: leaf, intermediates, root. */
  readonly certificates: readonly [Uint8Array, ...Uint8Array[]]
  /** Absent: at all times (some generators leave it out; the certificates have their own dates). */
  readonly validFor?: TimeRange
}

/** What a verifier trusts: contract/trust.md §2. */
export interface TrustedRoot {
  readonly mediaType: string
  readonly tlogs: readonly LogInstance[]
  readonly certificateAuthorities: readonly Authority[]
  readonly ctlogs: readonly LogInstance[]
  readonly timestampAuthorities: readonly Authority[]
}

const hashByNumber = new Map(Object.entries(HASH_ALGORITHMS).map(([name, number]) => [number as number, name]))
const detailsByNumber = new Map(Object.entries(PUBLIC_KEY_DETAILS).map(([name, number]) => [number as number, name]))

/**
 * Reads a trusted root as Go's protojson does (both spellings of names, either base64 alphabet, null for absent), unknown members refused.
 * A log must have key, id, hash algorithm and the start of its period; `operator` and `checkpointKeyId` are read past. Keys and certificates are
 * not parsed here, so that one that nobody uses does no harm. Throws a TrustError.
 */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  return readTrustedRoot(decodeFile(bytes, trustedRootSchema), '')
}

/** The same from inside a larger message. */
export function readTrustedRoot(root: Decoded, prefix: string): TrustedRoot {
  const logs = (name: string): LogInstance[] =>
    messagesOf(root, name).map((log, i) => readLog(log, `${prefix}${name}[${i}]`))
  const authorities = (name: string): Authority[] =>
    messagesOf(root, name).map((authority, i) => readAuthority(authority, `${prefix}${name}[${i}]`))
  return {
    mediaType: checkMediaType(root, MEDIA_TYPES, `${prefix}mediaType`),
    tlogs: logs('tlogs'),
    certificateAuthorities: authorities('certificateAuthorities'),
    ctlogs: logs('ctlogs'),
    timestampAuthorities: authorities('timestampAuthorities'),
  }
}

function readLog(log: Decoded, path: string): LogInstance {
  const key = log['publicKey'] as Decoded | undefined
  if (key === undefined) throw missing(`${path}.publicKey`)
  const rawBytes = key['rawBytes'] as Uint8Array | undefined
  if (rawBytes === undefined || rawBytes.length === 0) throw missing(`${path}.publicKey.rawBytes`)
  const logId = (log['logId'] as Decoded | undefined)?.['keyId'] as Uint8Array | undefined
  if (logId === undefined || logId.length === 0) throw missing(`${path}.logId.keyId`)
  const validFor = rangeOf(key, 'validFor', `${path}.publicKey`)
  if (validFor === undefined) throw missing(`${path}.publicKey.validFor`)
  return {
    baseUrl: textOf(log, 'baseUrl'),
    hashAlgorithm: enumName(log['hashAlgorithm'], hashByNumber, `${path}.hashAlgorithm`) as AnyHash,
    publicKey: {
      rawBytes,
      keyDetails: enumName(key['keyDetails'], detailsByNumber, `${path}.publicKey.keyDetails`) as KeyDetailsName,
      validFor,
    },
    logId,
  }
}

function enumName(value: unknown, names: ReadonlyMap<number, string>, path: string): string {
  const number = (value as number | undefined) ?? 0
  if (number === 0) throw missing(path)
  const name = names.get(number)
  if (name === undefined)
    throw new TrustError('TRUST_FIELD_INVALID', `${path} has an unknown value`, {
      check: path,
      expected: 'a name of sigstore_common.proto',
      found: String(number),
      hint: 'If a newer tool wrote the file, get a newer touchmark.',
    })
  return name
}

function readAuthority(authority: Decoded, path: string): Authority {
  const subject = (authority['subject'] as Decoded | undefined) ?? {}
  const chain = messagesOf((authority['certChain'] as Decoded | undefined) ?? {}, 'certificates')
  const certificates = chain.map((certificate, i) => {
    const raw = certificate['rawBytes'] as Uint8Array | undefined
    if (raw === undefined || raw.length === 0) throw missing(`${path}.certChain.certificates[${i}].rawBytes`)
    return raw
  })
  const [first, ...rest] = certificates
  if (first === undefined) throw missing(`${path}.certChain.certificates`)
  const validFor = rangeOf(authority, 'validFor', path)
  return {
    subject: { organization: textOf(subject, 'organization'), commonName: textOf(subject, 'commonName') },
    uri: textOf(authority, 'uri'),
    certificates: [first, ...rest],
    ...(validFor ? { validFor } : {}),
  }
}

/** The JSON value of a trusted root, members and values in the form that every client reads. */
export function trustedRootJson(root: TrustedRoot): object {
  return {
    mediaType: root.mediaType,
    tlogs: root.tlogs.map(logJson),
    certificateAuthorities: root.certificateAuthorities.map(authorityJson),
    ctlogs: root.ctlogs.map(logJson),
    ...(root.timestampAuthorities.length === 0
      ? {}
      : { timestampAuthorities: root.timestampAuthorities.map(authorityJson) }),
  }
}

/** Writes a trusted root by the choices of contract/trust.md §1: camelCase, standard base64, enum names, RFC 3339 UTC, no `operator`. Compact, no newline. */
export function encodeTrustedRoot(root: TrustedRoot): string {
  return JSON.stringify(trustedRootJson(root))
}

export function rangeJson(range: TimeRange): object {
  return { start: formatTime(range.start), ...(range.end ? { end: formatTime(range.end) } : {}) }
}

function logJson(log: LogInstance): object {
  return {
    baseUrl: log.baseUrl,
    hashAlgorithm: log.hashAlgorithm,
    publicKey: {
      rawBytes: base64Encode(log.publicKey.rawBytes),
      keyDetails: log.publicKey.keyDetails,
      validFor: rangeJson(log.publicKey.validFor),
    },
    logId: { keyId: base64Encode(log.logId) },
  }
}

function authorityJson(authority: Authority): object {
  return {
    subject: { organization: authority.subject.organization, commonName: authority.subject.commonName },
    uri: authority.uri,
    certChain: { certificates: authority.certificates.map((raw) => ({ rawBytes: base64Encode(raw) })) },
    ...(authority.validFor ? { validFor: rangeJson(authority.validFor) } : {}),
  }
}
