import type { CryptoPort, HashAlgorithm, Signer } from '@touchmark/crypto'
import {
  concatBytes,
  context,
  derElement,
  derExplicit,
  derGeneralizedTime,
  derInteger,
  DER_NULL,
  derOctetString,
  derOid,
  derSequence,
  derSetOf,
  derTime,
  derUnsigned,
  pemEncode,
  TAG,
} from '@touchmark/encoding'
import type { Certificate } from '@touchmark/x509'
import { encodeAlgorithm, HASH_ALGORITHMS, HASH_OID, hashAlgorithmWithNull, OID, signatureOid } from './algorithms.js'
import { checkAuthorityChain } from './chain.js'
import { TimestampError } from './errors.js'
import type { TimestampRequest } from './request.js'

/** The policy of Sigstore's timestamp authorities. */
export const DEFAULT_POLICY = '1.3.6.1.4.1.57264.2'

const SERIAL_BYTES = 20

/** How a timestamp authority signs. */
export interface TimestampIssuerOptions {
  readonly signer: Signer
  /** Leaf first, root last; checked by {@link checkAuthorityChain} against `at`. */
  readonly chain: readonly Certificate[]
  readonly at: Date
  readonly crypto: CryptoPort
  /** MUST be cryptographically random. */
  readonly random: (bytes: number) => Uint8Array
  /** For a request that names no policy. Default {@link DEFAULT_POLICY}. */
  readonly defaultPolicy?: string
  /** Policies that a request may name; the default policy is not implied. Default: {@link DEFAULT_POLICY} alone. */
  readonly acceptedPolicies?: readonly string[]
  /** Put the whole chain into a token that is asked for certificates, not the leaf alone. Default false. */
  readonly includeChain?: boolean
  /** Copy a request's extensions into the token; otherwise a request with any is refused. Default false. */
  readonly allowExtensions?: boolean
  /** The hash of SignerInfo for a key whose scheme names none (Ed25519). Default SHA-256. */
  readonly signerHash?: HashAlgorithm
  readonly enforceIntermediatePurpose?: boolean
}

/** Makes timestamp responses. */
export interface TimestampIssuer {
  /**
   * A granted TimeStampResp (tsa.md §3) over the request's digest, in DER. `genTime` is cut to whole seconds; whoever calls MUST have made sure that
   * it is true within one second.
   * Rejects with TIMESTAMP_REQUEST_POLICY_UNACCEPTED, TIMESTAMP_REQUEST_EXTENSION_UNACCEPTED or TIMESTAMP_SIGNING_FAILED.
   */
  issue(request: TimestampRequest, genTime: Date): Promise<Uint8Array>
  /** The chain as `certchain` serves it: leaf first, nothing between the blocks. */
  readonly chainPem: string
}

/** Everything of a token that does not depend on the request, and what depends on its hash alone. */
interface Prepared {
  readonly notBefore: Date
  readonly notAfter: Date
  readonly hash: HashAlgorithm
  readonly tsa: Uint8Array
  readonly certificates: Uint8Array
  readonly digestAlgorithms: Uint8Array
  /** SignerInfo up to its attributes. */
  readonly signerHead: Uint8Array
  readonly signatureAlgorithm: Uint8Array
  readonly imprintAlgorithm: Readonly<Record<HashAlgorithm, Uint8Array>>
  readonly signingCertificate: Readonly<Record<HashAlgorithm, Uint8Array>>
}

const VERSION_1 = derInteger(1n)
const VERSION_3 = derInteger(3n)
const GRANTED = derSequence(derInteger(0n))
const ACCURACY = derSequence(derInteger(1n))
const NO_CERTIFICATES = Uint8Array.of(context(0), 0)
const SIGNED_DATA_TYPE = derOid(OID.signedData)
const TST_INFO_TYPE = derOid(OID.tstInfo)
const CONTENT_TYPE_ATTRIBUTE = derSequence(derOid(OID.contentType), derSetOf(TST_INFO_TYPE))
const MESSAGE_DIGEST_TYPE = derOid(OID.messageDigest)
const SIGNING_TIME_TYPE = derOid(OID.signingTime)

/** PEM of a chain, as `GET …/certchain` serves it. */
export function encodeChainPem(chain: readonly Certificate[]): string {
  return chain.map(({ der }) => pemEncode('CERTIFICATE', der)).join('')
}

/** Checks the chain and the settings and prepares all that is static. Throws TIMESTAMP_CHAIN_* or TIMESTAMP_SETTINGS_INVALID. */
export function createTimestampIssuer(options: TimestampIssuerOptions): TimestampIssuer {
  const { signer, chain, crypto, random } = options
  checkAuthorityChain({ ...options, publicKey: signer.publicKey })
  const prepared = prepare(options)
  const policies = new Map<string, Uint8Array>()
  for (const policy of options.acceptedPolicies ?? [DEFAULT_POLICY]) policies.set(policy, encodePolicy(policy))
  const defaultPolicy = encodePolicy(options.defaultPolicy ?? DEFAULT_POLICY)

  async function issue(request: TimestampRequest, genTime: Date): Promise<Uint8Array> {
    const policy = request.policy === undefined ? defaultPolicy : policies.get(request.policy)
    if (policy === undefined)
      throw new TimestampError(
        'TIMESTAMP_REQUEST_POLICY_UNACCEPTED',
        'unaccepted policy: requested TSA policy is not supported by the TSA',
      )
    if (request.extensions.length > 0 && options.allowExtensions !== true)
      throw new TimestampError(
        'TIMESTAMP_REQUEST_EXTENSION_UNACCEPTED',
        'unaccepted extension: requested extensions are not supported by the TSA',
      )
    if (genTime < prepared.notBefore || genTime > prepared.notAfter)
      throw new TimestampError('TIMESTAMP_SIGNING_FAILED', 'a certificate of the authority is not valid now')
    const serial = derUnsigned(random(SERIAL_BYTES))
    const tstInfo = buildTstInfo(prepared, request, policy, serial, genTime)
    const attributes = derSetOf(
      CONTENT_TYPE_ATTRIBUTE,
      derSequence(SIGNING_TIME_TYPE, derElement(TAG.set, derTime(genTime))),
      derSequence(MESSAGE_DIGEST_TYPE, derElement(TAG.set, derOctetString(crypto.hash(prepared.hash, tstInfo)))),
      prepared.signingCertificate[request.hashAlgorithm],
    )
    const signature = await sign(signer, attributes)
    return buildResponse(prepared, tstInfo, attributes, signature, request.certReq)
  }

  return { issue, chainPem: encodeChainPem(chain) }
}

async function sign(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  try {
    return await signer.sign(message)
  } catch (cause) {
    throw new TimestampError('TIMESTAMP_SIGNING_FAILED', 'the timestamp key could not sign', { cause })
  }
}

function encodePolicy(policy: string): Uint8Array {
  try {
    return derOid(policy)
  } catch (cause) {
    throw new TimestampError('TIMESTAMP_SETTINGS_INVALID', `"${policy}" is no policy identifier`, { cause })
  }
}

function prepare(options: TimestampIssuerOptions): Prepared {
  const { signer, chain, crypto } = options
  const leaf = chain[0]!
  const oid = signatureOid(signer.scheme)
  if (oid === undefined)
    throw new TimestampError('TIMESTAMP_SETTINGS_INVALID', `tokens cannot be signed with ${signer.scheme.kind}`)
  const hash = 'hash' in signer.scheme ? signer.scheme.hash : (options.signerHash ?? 'SHA2_256')
  const digestAlgorithm = encodeAlgorithm({ oid: HASH_OID[hash] })
  const serial = derElement(TAG.integer, leaf.serialNumber)
  const issuerSerial = derSequence(derSequence(derExplicit(4, leaf.issuer)), serial)
  const embedded = (options.includeChain === true ? chain : chain.slice(0, 1)).map(({ der }) => der)
  const perHash = <T>(make: (algorithm: HashAlgorithm) => T): Record<HashAlgorithm, T> => ({
    SHA2_256: make(HASH_ALGORITHMS[0]!),
    SHA2_384: make(HASH_ALGORITHMS[1]!),
    SHA2_512: make(HASH_ALGORITHMS[2]!),
  })
  return {
    notBefore: new Date(Math.max(...chain.map(({ notBefore }) => notBefore.getTime()))),
    notAfter: new Date(Math.min(...chain.map(({ notAfter }) => notAfter.getTime()))),
    hash,
    tsa: derExplicit(0, derExplicit(4, leaf.subject)),
    // DER SET OF order: sigstore-python refuses chain order (tsa.md §3).
    certificates: retag(derSetOf(...embedded), context(0)),
    digestAlgorithms: derSetOf(digestAlgorithm),
    signerHead: concatBytes(VERSION_1, derSequence(leaf.issuer, serial), digestAlgorithm),
    signatureAlgorithm: derSequence(derOid(oid)),
    imprintAlgorithm: perHash(hashAlgorithmWithNull),
    signingCertificate: perHash((algorithm) => {
      const certHash = derOctetString(crypto.hash(algorithm, leaf.der))
      // SHA-256 is ESSCertIDv2's default and so is left out (RFC 5035 §4).
      const named =
        algorithm === 'SHA2_256' ? [] : [encodeAlgorithm({ oid: HASH_OID[algorithm], parameters: DER_NULL })]
      const certId = derSequence(...named, certHash, issuerSerial)
      return derSequence(derOid(OID.signingCertificateV2), derSetOf(derSequence(derSequence(certId))))
    }),
  }
}

function retag(element: Uint8Array, tag: number): Uint8Array {
  const copy = element.slice()
  copy[0] = tag
  return copy
}

function buildTstInfo(
  prepared: Prepared,
  request: TimestampRequest,
  policy: Uint8Array,
  serial: Uint8Array,
  genTime: Date,
): Uint8Array {
  const imprint = derSequence(prepared.imprintAlgorithm[request.hashAlgorithm], derOctetString(request.digest))
  const nonce = request.nonce === undefined ? [] : [derElement(TAG.integer, request.nonce)]
  const extensions = request.extensions.length === 0 ? [] : [derElement(context(1), ...request.extensions)]
  const time = derGeneralizedTime(genTime)
  return derSequence(VERSION_1, policy, imprint, serial, time, ACCURACY, ...nonce, prepared.tsa, ...extensions)
}

function buildResponse(
  prepared: Prepared,
  tstInfo: Uint8Array,
  attributes: Uint8Array,
  signature: Uint8Array,
  certReq: boolean,
): Uint8Array {
  const signerInfo = derSequence(
    prepared.signerHead,
    retag(attributes, context(0)),
    prepared.signatureAlgorithm,
    derOctetString(signature),
  )
  const signedData = derSequence(
    VERSION_3,
    prepared.digestAlgorithms,
    derSequence(TST_INFO_TYPE, derExplicit(0, derOctetString(tstInfo))),
    certReq ? prepared.certificates : NO_CERTIFICATES,
    derElement(TAG.set, signerInfo),
  )
  return derSequence(GRANTED, derSequence(SIGNED_DATA_TYPE, derExplicit(0, signedData)))
}
