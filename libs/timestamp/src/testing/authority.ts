import type { HashAlgorithm, Signer } from '@touchmark/crypto'
import type { Certificate } from '@touchmark/x509'
import type { TimestampAuthority } from '../authority.js'
import {
  basicConstraints,
  keyUsage,
  makeCertificate,
  makeKey,
  makeName,
  purposes,
  signerOf,
  TIME_STAMPING,
  type CertificateFields,
  type TestKey,
  type TestKeyType,
} from './certificates.js'

/** What a test changes in a certificate of an authority that is otherwise right. */
export type Overrides = Partial<Omit<CertificateFields, 'issuerKey' | 'spki'>>

export interface TestAuthorityOptions {
  readonly keyType?: TestKeyType
  readonly hash?: HashAlgorithm
  /** Key type of intermediate and root. */
  readonly issuerKeyType?: TestKeyType
  readonly leaf?: Overrides
  readonly intermediate?: Overrides
  readonly root?: Overrides
  /** False: the root signs the leaf. */
  readonly withIntermediate?: boolean
}

export interface TestAuthority {
  /** Leaf first, root last. */
  readonly chain: readonly Certificate[]
  readonly leafKey: TestKey
  readonly intermediateKey: TestKey
  readonly signer: Signer
  readonly trusted: TimestampAuthority
}

export const NOT_BEFORE = new Date('2026-01-01T00:00:00Z')
export const NOT_AFTER = new Date('2036-01-01T00:00:00Z')
/** An instant at which every test certificate is valid. */
export const NOW = new Date('2026-11-22T16:22:34Z')

const ROOT_NAME = makeName('example.com', 'test timestamp root')
const INTERMEDIATE_NAME = makeName('example.com', 'test timestamp intermediate')
const LEAF_NAME = makeName('example.com', 'test timestamping')

export function makeAuthority(options: TestAuthorityOptions = {}): TestAuthority {
  const { withIntermediate = true, issuerKeyType = 'P-256' } = options
  const rootKey = makeKey(issuerKeyType)
  const intermediateKey = withIntermediate ? makeKey(issuerKeyType) : rootKey
  const leafKey = makeKey(options.keyType ?? 'P-256')
  const dates = { notBefore: NOT_BEFORE, notAfter: NOT_AFTER }
  const root = makeCertificate({
    serialNumber: 1n,
    issuer: ROOT_NAME,
    subject: ROOT_NAME,
    ...dates,
    extensions: [basicConstraints(true), keyUsage(0x06)],
    ...options.root,
    spki: rootKey.spki,
    issuerKey: rootKey,
  })
  const intermediate = makeCertificate({
    serialNumber: 2n,
    issuer: ROOT_NAME,
    subject: INTERMEDIATE_NAME,
    ...dates,
    extensions: [basicConstraints(true), keyUsage(0x06), purposes([TIME_STAMPING])],
    ...options.intermediate,
    spki: intermediateKey.spki,
    issuerKey: rootKey,
  })
  const leaf = makeCertificate({
    serialNumber: 0x7886_3317_1b80_499an,
    issuer: withIntermediate ? INTERMEDIATE_NAME : ROOT_NAME,
    subject: LEAF_NAME,
    ...dates,
    extensions: [keyUsage(0x80), purposes([TIME_STAMPING], true)],
    ...options.leaf,
    spki: leafKey.spki,
    issuerKey: intermediateKey,
  })
  const intermediates = withIntermediate ? [intermediate] : []
  return {
    chain: [leaf, ...intermediates, root],
    leafKey,
    intermediateKey,
    signer: signerOf(leafKey, options.hash),
    trusted: { leaf, intermediates, root },
  }
}

/**
 * The same chain with new keys: names, serial numbers, dates and extensions are those of the model, so that what a token says of its certificate
 * differs from the model's tokens in hashes and signatures only. The private keys of recorded chains are not kept.
 */
export function remakeChain(model: readonly Certificate[], keyType: TestKeyType, hash: HashAlgorithm): TestAuthority {
  const keys = model.map((_, index) => makeKey(index === 0 ? keyType : 'P-256'))
  const chain = model.map((certificate, index) =>
    makeCertificate({
      serialNumber: certificate.serialNumber,
      issuer: certificate.issuer,
      subject: certificate.subject,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      extensions: [...certificate.extensions.values()].map(({ bytes }) => bytes),
      spki: keys[index]!.spki,
      issuerKey: keys[Math.min(index + 1, keys.length - 1)]!,
    }),
  )
  return {
    chain,
    leafKey: keys[0]!,
    intermediateKey: keys[1]!,
    signer: signerOf(keys[0]!, hash),
    trusted: { leaf: chain[0]!, intermediates: chain.slice(1, -1), root: chain[chain.length - 1]! },
  }
}
