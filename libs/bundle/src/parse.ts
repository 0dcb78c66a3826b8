import { equalBytes, hexEncode, parseJson, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { BundleError } from './errors.js'
import { BUNDLE_LIMITS } from './limits.js'
import { at, checkBytes, invalid, Members, missing, tooMuch } from './members.js'
import { MEDIA_TYPES } from './types.js'
import type {
  Bundle,
  BundleContent,
  BundleHashAlgorithm,
  BundleVersion,
  InclusionProof,
  SignerMaterial,
  TransparencyLogEntry,
} from './types.js'

export interface ParseBundleOptions {
  /** Largest file taken, in bytes; {@link BUNDLE_LIMITS}.bundleBytes unless given. */
  readonly maxBytes?: number
}

const HASHES: readonly BundleHashAlgorithm[] = ['SHA2_256', 'SHA2_384', 'SHA2_512']
const LONGEST_DIGEST_BYTES = 64

/**
 * Reads a bundle of version 0.1, 0.2 or 0.3 strictly (contract/bundle-and-oci.md §1): UTF-8 without byte order mark, one JSON value,
 * no unknown and no repeated member, standard base64, the version's own rules. Counts and sizes are compared before anything is decoded.
 * Nothing is verified here. Throws a {@link BundleError}, never anything else.
 */
export function parseBundle(bytes: Uint8Array, options: ParseBundleOptions = {}): Bundle {
  const limit = options.maxBytes ?? BUNDLE_LIMITS.bundleBytes
  if (bytes.length > limit)
    throw new BundleError('BUNDLE_TOO_LARGE', `the bundle has ${bytes.length} bytes, at most ${limit} are read`, {
      check: 'bundle size',
      expected: `at most ${limit} bytes`,
      found: `${bytes.length} bytes`,
      hint: 'Check that this file is a bundle; if it is, raise the limit.',
    })
  const top = new Members(readJson(bytes), '', [
    'mediaType',
    'verificationMaterial',
    'messageSignature',
    'dsseEnvelope',
  ])
  const mediaType = top.string('mediaType', 128)
  const version = Object.hasOwn(MEDIA_TYPES, mediaType) ? MEDIA_TYPES[mediaType] : undefined
  if (version === undefined)
    throw new BundleError('BUNDLE_MEDIA_TYPE_UNSUPPORTED', `"${mediaType}" is no bundle that touchmark can read`, {
      check: 'bundle media type',
      expected: Object.keys(MEDIA_TYPES).join(' or '),
      found: mediaType,
      hint: 'If a newer client wrote it, get a newer touchmark.',
    })
  const material = top.object('verificationMaterial', [
    'certificate',
    'x509CertificateChain',
    'publicKey',
    'tlogEntries',
    'timestampVerificationData',
  ])
  // All counts first: no item of any list is decoded before the whole file is known to be of an honest shape.
  const entries = material.list('tlogEntries', BUNDLE_LIMITS.tlogEntries)
  const stamps =
    material
      .optionalObject('timestampVerificationData', ['rfc3161Timestamps'])
      ?.list('rfc3161Timestamps', BUNDLE_LIMITS.timestamps) ?? []
  const signer = readSigner(material, version)
  const tlogEntries = entries.map((entry, i) => readEntry(entry, at(material.path, `tlogEntries[${i}]`), version))
  const timestamps = stamps.map((stamp, i) => {
    const path = `verificationMaterial.timestampVerificationData.rfc3161Timestamps[${i}]`
    return new Members(stamp, path, ['signedTimestamp']).bytes('signedTimestamp', BUNDLE_LIMITS.timestampBytes)
  })
  refuseDuplicates(tlogEntries, timestamps)
  return { mediaType, version, signer, tlogEntries, timestamps, content: readContent(top, limit) }
}

function readJson(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, { trailing: 'refuse', duplicates: 'refuse', maxDepth: BUNDLE_LIMITS.jsonDepth })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new BundleError('BUNDLE_JSON_INVALID', 'the bundle is not strict JSON', {
      cause,
      check: 'bundle JSON',
      expected: 'one JSON object in UTF-8 without repeated members',
      found: cause.message,
      hint: 'The file is no bundle, or was cut off: get it again from where it was published.',
    })
  }
}

function versionRule(version: BundleVersion, expected: string, found: string): BundleError {
  return new BundleError('BUNDLE_VERSION_RULE', `a bundle of version ${version} must have ${expected}`, {
    check: 'bundle version rules',
    expected,
    found,
    hint: 'The bundle is incomplete: sign again with a current client.',
  })
}

function readSigner(material: Members, version: BundleVersion): SignerMaterial {
  const given = ['certificate', 'x509CertificateChain', 'publicKey'].filter((name) => material.has(name))
  if (given.length === 0) throw missing(material.path, 'certificate')
  if (given.length > 1) throw versionRule(version, 'one of certificate, chain and public key', given.join(' and '))
  if (given[0] === 'certificate') {
    const raw = material.object('certificate', ['rawBytes']).bytes('rawBytes', BUNDLE_LIMITS.certificateBytes)
    return { kind: 'certificate', certificate: raw }
  }
  if (given[0] === 'publicKey') {
    const key = material.object('publicKey', ['hint'])
    return { kind: 'publicKey', hint: key.has('hint') ? key.string('hint', BUNDLE_LIMITS.textLength) : '' }
  }
  if (version === '0.3') throw versionRule(version, 'a single certificate', 'x509CertificateChain')
  const chain = material.object('x509CertificateChain', ['certificates'])
  const [leaf, ...rest] = chain.list('certificates', BUNDLE_LIMITS.certificates).map((certificate, i) => {
    const path = at(chain.path, `certificates[${i}]`)
    return new Members(certificate, path, ['rawBytes']).bytes('rawBytes', BUNDLE_LIMITS.certificateBytes)
  })
  if (leaf === undefined) throw missing(chain.path, 'certificates[0]')
  return { kind: 'chain', certificates: [leaf, ...rest] }
}

function readEntry(value: JsonValue, path: string, version: BundleVersion): TransparencyLogEntry {
  const entry = new Members(value, path, [
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  ])
  const kindVersion = entry.object('kindVersion', ['kind', 'version'])
  const integratedTime = entry.count('integratedTime')
  const inclusionPromise = entry
    .optionalObject('inclusionPromise', ['signedEntryTimestamp'])
    ?.bytes('signedEntryTimestamp', BUNDLE_LIMITS.signatureBytes)
  const inclusionProof = entry.has('inclusionProof') ? readProof(entry) : undefined
  if (version === '0.1' && inclusionPromise === undefined)
    throw versionRule(version, 'an inclusion promise', `${path} has none`)
  if (version !== '0.1' && inclusionProof === undefined)
    throw versionRule(version, 'an inclusion proof with a checkpoint', `${path} has none`)
  return {
    logIndex: entry.count('logIndex'),
    logId: sized(entry.object('logId', ['keyId']), 'keyId', 32),
    kindVersion: { kind: kindVersion.string('kind', 64), version: kindVersion.string('version', 64) },
    ...(integratedTime > 0n ? { integratedTime } : {}),
    ...(inclusionPromise ? { inclusionPromise } : {}),
    ...(inclusionProof ? { inclusionProof } : {}),
    canonicalizedBody: nonEmpty(entry, 'canonicalizedBody', BUNDLE_LIMITS.canonicalizedBodyBytes),
  }
}

function readProof(entry: Members): InclusionProof {
  const proof = entry.object('inclusionProof', ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint'])
  const hashes = proof.list('hashes', BUNDLE_LIMITS.proofHashes)
  if (!proof.has('treeSize')) throw missing(proof.path, 'treeSize')
  return {
    logIndex: proof.count('logIndex'),
    rootHash: sized(proof, 'rootHash', 32),
    treeSize: proof.count('treeSize'),
    hashes: hashes.map((hash, i) => {
      const path = at(proof.path, `hashes[${i}]`)
      const bytes = checkBytes(hash, path, 32)
      if (bytes.length !== 32) throw invalid(path, '32 bytes', hash)
      return bytes
    }),
    // In version 0.1 too, where no other reader takes a proof without: it would stand there unproven.
    checkpoint: proof.object('checkpoint', ['envelope']).string('envelope', BUNDLE_LIMITS.checkpointBytes),
  }
}

function sized(members: Members, name: string, size: number): Uint8Array {
  const bytes = members.bytes(name, size)
  if (bytes.length !== size) throw invalid(at(members.path, name), `${size} bytes`, members.required(name))
  return bytes
}

function nonEmpty(members: Members, name: string, limit: number): Uint8Array {
  const bytes = members.bytes(name, limit)
  if (bytes.length === 0) throw missing(members.path, name)
  return bytes
}

function refuseDuplicates(entries: readonly TransparencyLogEntry[], timestamps: readonly Uint8Array[]): void {
  const duplicate = (what: string, found: string): BundleError =>
    new BundleError('BUNDLE_DUPLICATE', `the same ${what} stands in the bundle twice`, {
      check: 'bundle duplicates',
      expected: `each ${what} once`,
      found,
      hint: 'No honest client writes such a bundle: do not trust where it came from.',
    })
  const seen = new Set<string>()
  for (const entry of entries) {
    const id = `${hexEncode(entry.logId)}/${entry.logIndex}`
    if (seen.has(id)) throw duplicate('log entry', id)
    seen.add(id)
  }
  timestamps.forEach((stamp, i) => {
    if (timestamps.some((other, j) => j < i && equalBytes(stamp, other)))
      throw duplicate('timestamp', `number ${i + 1}`)
  })
}

function readContent(top: Members, limit: number): BundleContent {
  const message = top.optionalObject('messageSignature', ['messageDigest', 'signature'])
  const envelope = top.optionalObject('dsseEnvelope', ['payload', 'payloadType', 'signatures'])
  if (message && envelope) throw invalid('', 'either a messageSignature or a dsseEnvelope', 'both')
  if (message) {
    const digest = message.optionalObject('messageDigest', ['algorithm', 'digest'])
    const signature = nonEmpty(message, 'signature', BUNDLE_LIMITS.signatureBytes)
    return { kind: 'message', message: { ...(digest ? { messageDigest: readDigest(digest) } : {}), signature } }
  }
  if (!envelope) throw missing('', 'messageSignature')
  const signatures = envelope.list('signatures', 1 + BUNDLE_LIMITS.tlogEntries)
  const [only] = signatures
  if (only === undefined) throw missing(envelope.path, 'signatures[0]')
  if (signatures.length > 1) throw tooMuch(at(envelope.path, 'signatures'), 'one signature', `${signatures.length}`)
  const signature = new Members(only, at(envelope.path, 'signatures[0]'), ['sig', 'keyid'])
  return {
    kind: 'dsse',
    envelope: {
      // An empty payload is written as an absent member by proto JSON writers; the signature decides.
      payload: envelope.has('payload') ? envelope.bytes('payload', limit) : new Uint8Array(0),
      payloadType: envelope.has('payloadType') ? envelope.string('payloadType', BUNDLE_LIMITS.textLength) : '',
      signature: {
        sig: nonEmpty(signature, 'sig', BUNDLE_LIMITS.signatureBytes),
        keyid: signature.has('keyid') ? signature.string('keyid', BUNDLE_LIMITS.textLength) : '',
      },
    },
  }
}

function readDigest(digest: Members): { algorithm: BundleHashAlgorithm; digest: Uint8Array } {
  const name = digest.string('algorithm', 64)
  const algorithm = HASHES.find((known) => known === name)
  if (algorithm === undefined) throw invalid(at(digest.path, 'algorithm'), HASHES.join(' or '), name)
  // The length is not compared here: a wrong one is a digest of something else, and the verifier says so.
  const bytes = digest.bytes('digest', LONGEST_DIGEST_BYTES)
  return { algorithm, digest: bytes }
}
