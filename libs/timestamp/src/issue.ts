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
import {
  DIGEST_BYTES,
  encodeAlgorithm,
  HASH_ALGORITHMS,
  HASH_OID,
  hashAlgorithmWithNull,
  OID,
  signatureOid,
} from './algorithms.js'
import { checkAuthorityChain } from './chain.js'
import { DerBuffer } from './der-buffer.js'
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
  /** SignedData up to its content: version and digest algorithms. */
  readonly dataHead: Uint8Array
  /** The attribute messageDigest up to the digest itself. */
  readonly messageDigestHead: Uint8Array
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
  let time = encodeTime(Math.floor(options.at.getTime() / 1000))

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
    const second = Math.floor(genTime.getTime() / 1000)
    if (time.second !== second) time = encodeTime(second)
    const tstInfo = buildTstInfo(prepared, request, policy, serial, time.genTime)
    const attributes = derSetOf(
      CONTENT_TYPE_ATTRIBUTE,
      time.signingTime,
      concatBytes(prepared.messageDigestHead, crypto.hash(prepared.hash, tstInfo)),
      prepared.signingCertificate[request.hashAlgorithm],
    )
    const signature = await sign(signer, attributes)
    // From here on the attributes are the [0] of SignerInfo (RFC 5652 §5.4).
    attributes[0] = context(0)
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
    dataHead: concatBytes(VERSION_3, derSetOf(digestAlgorithm)),
    messageDigestHead: messageDigestHead(DIGEST_BYTES[hash]),
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

/** The digest is the attribute's end, so what comes before it is the same each time. */
function messageDigestHead(digestBytes: number): Uint8Array {
  const digest = derElement(TAG.set, derOctetString(new Uint8Array(digestBytes)))
  const attribute = derSequence(MESSAGE_DIGEST_TYPE, digest)
  return attribute.subarray(0, attribute.length - digestBytes)
}

function retag(element: Uint8Array, tag: number): Uint8Array {
  const copy = element.slice()
  copy[0] = tag
  return copy
}

/** Room for the headers of a TSTInfo or a response: none has more than 24 elements that are written here, each header at most 6 bytes. */
const HEADERS = 24 * 6

function buildTstInfo(
  prepared: Prepared,
  { hashAlgorithm, digest, nonce, extensions }: TimestampRequest,
  policy: Uint8Array,
  serial: Uint8Array,
  genTime: Uint8Array,
): Uint8Array {
  const imprintAlgorithm = prepared.imprintAlgorithm[hashAlgorithm]
  const fixed = policy.length + imprintAlgorithm.length + serial.length + genTime.length + prepared.tsa.length
  const variable = digest.length + (nonce?.length ?? 0) + extensions.reduce((sum, one) => sum + one.length, 0)
  const out = new DerBuffer(fixed + variable + VERSION_1.length + ACCURACY.length + HEADERS)
  const end = out.mark
  if (extensions.length > 0) {
    for (let at = extensions.length - 1; at >= 0; at--) out.put(extensions[at]!)
    out.wrap(context(1), end)
  }
  out.put(prepared.tsa)
  if (nonce !== undefined) putElement(out, TAG.integer, nonce)
  out.put(ACCURACY)
  out.put(genTime)
  out.put(serial)
  const imprint = out.mark
  putElement(out, TAG.octetString, digest)
  out.put(imprintAlgorithm)
  out.wrap(TAG.sequence, imprint)
  out.put(policy)
  out.put(VERSION_1)
  out.wrap(TAG.sequence, end)
  return out.done()
}

function putElement(out: DerBuffer, tag: number, content: Uint8Array): void {
  const mark = out.mark
  out.put(content)
  out.wrap(tag, mark)
}

function buildResponse(
  prepared: Prepared,
  tstInfo: Uint8Array,
  attributes: Uint8Array,
  signature: Uint8Array,
  certReq: boolean,
): Uint8Array {
  const certificates = certReq ? prepared.certificates : NO_CERTIFICATES
  const { signatureAlgorithm, signerHead, dataHead } = prepared
  const fixed = signatureAlgorithm.length + signerHead.length + dataHead.length + GRANTED.length
  const names = TST_INFO_TYPE.length + SIGNED_DATA_TYPE.length
  const parts = tstInfo.length + attributes.length + signature.length + certificates.length
  const out = new DerBuffer(fixed + names + parts + HEADERS)
  const end = out.mark
  putElement(out, TAG.octetString, signature)
  out.put(signatureAlgorithm)
  out.put(attributes)
  out.put(signerHead)
  out.wrap(TAG.sequence, end)
  out.wrap(TAG.set, end)
  out.put(certificates)
  const content = out.mark
  putElement(out, TAG.octetString, tstInfo)
  out.wrap(context(0), content)
  out.put(TST_INFO_TYPE)
  out.wrap(TAG.sequence, content)
  out.put(dataHead)
  out.wrap(TAG.sequence, end)
  out.wrap(context(0), end)
  out.put(SIGNED_DATA_TYPE)
  out.wrap(TAG.sequence, end)
  out.put(GRANTED)
  out.wrap(TAG.sequence, end)
  return out.done()
}

/** The two encodings of a second, kept for the requests that come within it. */
interface EncodedTime {
  readonly second: number
  readonly genTime: Uint8Array
  readonly signingTime: Uint8Array
}

function encodeTime(second: number): EncodedTime {
  const time = new Date(second * 1000)
  const signingTime = derSequence(SIGNING_TIME_TYPE, derElement(TAG.set, derTime(time)))
  return { second, genTime: derGeneralizedTime(time), signingTime }
}
