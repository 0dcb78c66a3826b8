import { createHash } from 'node:crypto'
import type { HashAlgorithm } from '@touchmark/crypto'
import {
  concatBytes,
  context,
  derElement,
  derExplicit,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  derTime,
  TAG,
} from '@touchmark/encoding'
import type { Certificate } from '@touchmark/x509'
import { HASH_OID, hashAlgorithmWithNull, OID, signatureOid } from '../algorithms.js'
import { encodeTstInfo, type TstInfo } from '../tst-info.js'
import { NOW, type TestAuthority } from './authority.js'
import { signBytes, signerOf, type TestKey } from './certificates.js'

const NODE_HASH = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

export function digest(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(NODE_HASH[algorithm]).update(bytes).digest())
}

export function attribute(oid: string, ...values: readonly Uint8Array[]): Uint8Array {
  return derSequence(derOid(oid), derElement(TAG.set, ...values))
}

/** ESSCertIDv2 of a certificate. */
export function certId(certificate: Certificate, hash: HashAlgorithm = 'SHA2_256', issuerSerial = true): Uint8Array {
  const names = derSequence(
    derSequence(derExplicit(4, certificate.issuer)),
    derElement(TAG.integer, certificate.serialNumber),
  )
  return derSequence(
    ...(hash === 'SHA2_256' ? [] : [hashAlgorithmWithNull(hash)]),
    derOctetString(digest(hash, certificate.der)),
    ...(issuerSerial ? [names] : []),
  )
}

export function signingCertificate(...ids: readonly Uint8Array[]): Uint8Array {
  return attribute(OID.signingCertificateV2, derSequence(derSequence(...ids)))
}

/** What a forged token has in place of what is right. */
export interface Forgery {
  readonly message?: Uint8Array
  readonly imprintHash?: HashAlgorithm
  readonly hash?: HashAlgorithm
  readonly genTimeText?: string
  readonly tstInfo?: Partial<TstInfo>
  /** Content of the token in place of the TSTInfo that the attributes are over. */
  readonly content?: Uint8Array
  readonly status?: Uint8Array
  readonly contentType?: string
  readonly eContentType?: string
  readonly signedDataVersion?: bigint
  readonly signerInfoVersion?: bigint
  readonly certificates?: readonly Uint8Array[]
  readonly signers?: number
  readonly sidOf?: Certificate
  readonly signWith?: TestKey
  readonly digestAlgorithm?: Uint8Array
  readonly signatureAlgorithm?: Uint8Array
  /** Attributes by name; undefined leaves one out, more than one element repeats it. */
  readonly attributes?: Partial<Record<'contentType' | 'messageDigest' | 'signingCertificate', readonly Uint8Array[]>>
  readonly corruptSignature?: boolean
}

export const MESSAGE = new TextEncoder().encode('the bytes of a signature')

/** A TimeStampResp that is right but for what the forgery says. */
export function forge(authority: TestAuthority, forgery: Forgery = {}): Uint8Array {
  const { imprintHash = 'SHA2_256', hash = 'SHA2_256' } = forgery
  const leaf = authority.chain[0]!
  const key = forgery.signWith ?? authority.leafKey
  const tstInfo = encodeTstInfo({
    policy: '1.3.6.1.4.1.57264.2',
    imprintAlgorithm: { oid: HASH_OID[imprintHash] },
    digest: digest(imprintHash, forgery.message ?? MESSAGE),
    serialNumber: Uint8Array.of(7),
    genTimeText: forgery.genTimeText ?? generalizedTime(NOW),
    ordering: false,
    ...forgery.tstInfo,
  })
  const chosen = {
    contentType: [attribute(OID.contentType, derOid(OID.tstInfo))],
    messageDigest: [attribute(OID.messageDigest, derOctetString(digest(hash, tstInfo)))],
    signingCertificate: [signingCertificate(certId(leaf))],
    ...forgery.attributes,
  }
  const attributes = derSetOf(
    ...chosen.contentType,
    attribute(OID.signingTime, derTime(NOW)),
    ...chosen.messageDigest,
    ...chosen.signingCertificate,
  )
  const signature = signBytes(key, hash, attributes)
  if (forgery.corruptSignature === true) signature[signature.length - 1]! ^= 1
  const named = forgery.sidOf ?? leaf
  const retagged = attributes.slice()
  retagged[0] = context(0)
  const signerInfo = derSequence(
    derInteger(forgery.signerInfoVersion ?? 1n),
    derSequence(named.issuer, derElement(TAG.integer, named.serialNumber)),
    forgery.digestAlgorithm ?? derSequence(derOid(HASH_OID[hash])),
    retagged,
    forgery.signatureAlgorithm ?? derSequence(derOid(signatureOid(signerOf(key, hash).scheme)!)),
    derOctetString(signature),
  )
  const signedData = derSequence(
    derInteger(forgery.signedDataVersion ?? 3n),
    derSetOf(derSequence(derOid(HASH_OID[hash]))),
    derSequence(
      derOid(forgery.eContentType ?? OID.tstInfo),
      derExplicit(0, derOctetString(forgery.content ?? tstInfo)),
    ),
    derElement(context(0), ...(forgery.certificates ?? [])),
    derElement(TAG.set, concatBytes(...Array.from({ length: forgery.signers ?? 1 }, () => signerInfo))),
  )
  return derSequence(
    forgery.status ?? derSequence(derInteger(0n)),
    derSequence(derOid(forgery.contentType ?? OID.signedData), derExplicit(0, signedData)),
  )
}

/** Text of a GeneralizedTime, whole seconds. */
export function generalizedTime(time: Date): string {
  return time.toISOString().replace(/[-:T]|\.\d+/g, '')
}
