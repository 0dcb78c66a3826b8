import {
  BUNDLE_V03_MEDIA_TYPE,
  IN_TOTO_PAYLOAD_TYPE,
  pae,
  type Bundle,
  type BundleContent,
  type BundleVersion,
  type TransparencyLogEntry,
} from '@touchmark/bundle'
import { defaultKeyDetails, type HashAlgorithm, type KeyType, type Signer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode, canonicalJson, hexEncode, pemEncode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { parseCertificate, type Certificate } from '@touchmark/x509'
import { NOW, type LeafOptions, type TestInstance } from './instance.js'

export type EntryKind = 'hashedrekord 0.0.1' | 'dsse 0.0.1' | 'intoto 0.0.2' | 'hashedrekord 0.0.2' | 'dsse 0.0.2'

/** One of the forms that bundles have in the field (contract/bundle-and-oci.md §1). */
export interface Form {
  readonly name: string
  readonly version: BundleVersion
  readonly mediaType: string
  readonly material: 'certificate' | 'chain' | 'publicKey'
  readonly content: 'message' | 'attestation'
  readonly entry: EntryKind
  readonly promise: boolean
  readonly proof: boolean
  readonly timestamp: boolean
}

const old = (version: BundleVersion): string => `application/vnd.dev.sigstore.bundle+json;version=${version}`
const v03 = { version: '0.3', mediaType: BUNDLE_V03_MEDIA_TYPE, material: 'certificate' } as const
const onV2 = { promise: false, proof: true, timestamp: true } as const
const onV1 = { promise: true, proof: true, timestamp: false } as const

export const FORMS: readonly Form[] = [
  { name: '0.3 message, v2', ...v03, content: 'message', entry: 'hashedrekord 0.0.2', ...onV2 },
  { name: '0.3 attestation, v2', ...v03, content: 'attestation', entry: 'hashedrekord 0.0.2', ...onV2 },
  { name: '0.3 attestation, v2 dsse', ...v03, content: 'attestation', entry: 'dsse 0.0.2', ...onV2 },
  {
    name: '0.2 message, v2',
    version: '0.2',
    mediaType: old('0.2'),
    material: 'chain',
    content: 'message',
    entry: 'hashedrekord 0.0.2',
    ...onV2,
  },
  { name: '0.3 message, v1', ...v03, mediaType: old('0.3'), content: 'message', entry: 'hashedrekord 0.0.1', ...onV1 },
  {
    name: '0.3 message, v1 with timestamp',
    ...v03,
    content: 'message',
    entry: 'hashedrekord 0.0.1',
    ...onV1,
    timestamp: true,
  },
  { name: '0.3 message, v1 without promise', ...v03, content: 'message', entry: 'hashedrekord 0.0.1', ...onV2 },
  { name: '0.3 attestation, v1', ...v03, content: 'attestation', entry: 'dsse 0.0.1', ...onV1 },
  {
    name: '0.2 attestation, v1 intoto',
    version: '0.2',
    mediaType: old('0.2'),
    material: 'chain',
    content: 'attestation',
    entry: 'intoto 0.0.2',
    ...onV1,
  },
  {
    name: '0.1 message, v1',
    version: '0.1',
    mediaType: old('0.1'),
    material: 'chain',
    content: 'message',
    entry: 'hashedrekord 0.0.1',
    ...onV1,
  },
  {
    name: '0.1 message, v1 promise alone',
    version: '0.1',
    mediaType: old('0.1'),
    material: 'certificate',
    content: 'message',
    entry: 'hashedrekord 0.0.1',
    ...onV1,
    proof: false,
  },
  {
    name: '0.3 message by key, v2',
    ...v03,
    material: 'publicKey',
    content: 'message',
    entry: 'hashedrekord 0.0.2',
    ...onV2,
  },
  {
    name: '0.3 attestation by key, v1',
    ...v03,
    material: 'publicKey',
    content: 'attestation',
    entry: 'dsse 0.0.1',
    ...onV1,
  },
]

export function form(name: string): Form {
  return FORMS.find((one) => one.name === name)!
}

export interface SignOptions {
  readonly form?: Form
  readonly artifact?: Uint8Array
  readonly signer?: Signer
  readonly keyType?: KeyType
  readonly leaf?: Omit<LeafOptions, 'key'>
  /** This one instead of one that the instance issues. */
  readonly certificate?: Uint8Array
  /** When timestamp authority and log say it was signed. */
  readonly at?: Date
  /** Other entries in the log after this one. */
  readonly followedBy?: number
  readonly predicateType?: string
  /** The payload instead of a statement about the artifact. */
  readonly payload?: Uint8Array
  readonly payloadType?: string
}

/** A signed artifact and everything that it was made from. */
export interface Signed {
  readonly form: Form
  readonly artifact: Uint8Array
  readonly signer: Signer
  readonly certificate: Certificate
  readonly bundle: Bundle
}

const P256: KeyType = { kind: 'ecdsa', curve: 'P-256' }

/** A statement about the artifact, as `touchmark attest` makes one. */
export function statementOf(artifact: Uint8Array, predicateType = 'https://slsa.dev/provenance/v1'): Uint8Array {
  const digest = { sha256: hexEncode(nodeCrypto.hash('SHA2_256', artifact)) }
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'artifact', digest }],
    predicateType,
    predicate: {},
  }
  return utf8Encode(JSON.stringify(statement))
}

/** Signs as a client of the instance does, in one of the forms. */
export async function sign(instance: TestInstance, options: SignOptions = {}): Promise<Signed> {
  const shape = options.form ?? FORMS[0]!
  const artifact = options.artifact ?? utf8Encode('artifact')
  const at = options.at ?? NOW
  const signer = options.signer ?? generateSigner(options.keyType ?? P256, schemeFor(shape, options.keyType))
  const certificate = options.certificate
    ? parseCertificate(options.certificate)
    : await instance.issue({ key: signer.publicKey, ...options.leaf })
  const content = await signContent(shape, artifact, signer, options)
  const signature = content.kind === 'message' ? content.message.signature : content.envelope.signature.sig
  const [kind, version] = shape.entry.split(' ') as [string, string]
  const body = bodyOf(shape, content, signer, certificate, artifact)
  const log = version === '0.0.2' && kind !== 'intoto' ? instance.v2 : instance.v1
  const entry = await log.append(body, kind, version, {
    followedBy: options.followedBy ?? 3,
    proof: shape.proof,
    ...(shape.promise ? { promisedAt: at } : {}),
  })
  const bundle: Bundle = {
    mediaType: shape.mediaType,
    version: shape.version,
    signer:
      shape.material === 'certificate'
        ? { kind: 'certificate', certificate: certificate.der }
        : shape.material === 'chain'
          ? { kind: 'chain', certificates: [certificate.der] }
          : { kind: 'publicKey', hint: hintOf(signer) },
    tlogEntries: [entry],
    timestamps: shape.timestamp ? [await instance.timestamp(signature, at)] : [],
    content,
  }
  return { form: shape, artifact, signer, certificate, bundle }
}

export function hintOf(signer: Signer): string {
  return base64Encode(nodeCrypto.hash('SHA2_256', signer.publicKey.spki))
}

/** Keys of a hashedrekord of API v2 sign Ed25519ph; envelopes elsewhere are signed with pure Ed25519. */
function schemeFor(shape: Form, keyType: KeyType | undefined): { readonly kind: 'ed25519ph' } | undefined {
  return keyType?.kind === 'ed25519' && shape.entry.startsWith('hashedrekord') ? { kind: 'ed25519ph' } : undefined
}

async function signContent(
  shape: Form,
  artifact: Uint8Array,
  signer: Signer,
  options: SignOptions,
): Promise<BundleContent> {
  if (shape.content === 'message') {
    const algorithm = hashOf(signer)
    const messageDigest = { algorithm, digest: nodeCrypto.hash(algorithm, artifact) }
    return { kind: 'message', message: { messageDigest, signature: await signer.sign(artifact) } }
  }
  const payload = options.payload ?? statementOf(artifact, options.predicateType)
  const payloadType = options.payloadType ?? IN_TOTO_PAYLOAD_TYPE
  const sig = await signer.sign(pae(payloadType, payload))
  return { kind: 'dsse', envelope: { payload, payloadType, signature: { sig, keyid: '' } } }
}

function hashOf({ scheme }: Signer): HashAlgorithm {
  return 'hash' in scheme ? scheme.hash : 'SHA2_512'
}

const V1_NAMES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

/** The leaf that the logs of the contract store: log-v2.md §4, log-v1.md §6. */
export function bodyOf(
  shape: Form,
  content: BundleContent,
  signer: Signer,
  certificate: Certificate,
  artifact: Uint8Array,
): Uint8Array {
  const byKey = shape.material === 'publicKey'
  const algorithm = hashOf(signer)
  const signature = base64Encode(
    content.kind === 'message' ? content.message.signature : content.envelope.signature.sig,
  )
  const keyDetails = defaultKeyDetails(signer.publicKey).name
  const verifier: JsonValue = byKey
    ? { keyDetails, publicKey: { rawBytes: base64Encode(signer.publicKey.spki) } }
    : { keyDetails, x509Certificate: { rawBytes: base64Encode(certificate.der) } }
  const pem = byKey ? pemEncode('PUBLIC KEY', signer.publicKey.spki) : pemEncode('CERTIFICATE', certificate.der)
  const pemText = base64Encode(utf8Encode(pem))
  const payload = content.kind === 'dsse' ? content.envelope.payload : new Uint8Array()
  const payloadType = content.kind === 'dsse' ? content.envelope.payloadType : ''
  const payloadHash = nodeCrypto.hash('SHA2_256', payload)
  const hexPayloadHash: JsonValue = { algorithm: 'sha256', value: hexEncode(payloadHash) }
  const specs: Record<EntryKind, () => JsonValue> = {
    'hashedrekord 0.0.1': () => ({
      data: { hash: { algorithm: V1_NAMES[algorithm], value: hexEncode(nodeCrypto.hash(algorithm, artifact)) } },
      signature: { content: signature, publicKey: { content: pemText } },
    }),
    'dsse 0.0.1': () => ({
      envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
      payloadHash: hexPayloadHash,
      signatures: [{ signature, verifier: pemText }],
    }),
    'intoto 0.0.2': () => ({
      content: {
        envelope: { payloadType, signatures: [{ publicKey: pemText, sig: base64Encode(utf8Encode(signature)) }] },
        hash: { algorithm: 'sha256', value: '00'.repeat(32) },
        payloadHash: hexPayloadHash,
      },
    }),
    'hashedrekord 0.0.2': () => ({
      hashedRekordV002: {
        data: {
          algorithm,
          digest: base64Encode(
            nodeCrypto.hash(algorithm, content.kind === 'message' ? artifact : pae(payloadType, payload)),
          ),
        },
        signature: { content: signature, verifier },
      },
    }),
    'dsse 0.0.2': () => ({
      dsseV002: {
        payloadHash: { algorithm: 'SHA2_256', digest: base64Encode(payloadHash) },
        signatures: [{ content: signature, verifier }],
      },
    }),
  }
  const [kind, apiVersion] = shape.entry.split(' ') as [string, string]
  return utf8Encode(canonicalJson({ apiVersion, kind, spec: specs[shape.entry]() }))
}

/** The bundle with its only entry changed. */
export function withEntry(bundle: Bundle, change: (entry: TransparencyLogEntry) => TransparencyLogEntry): Bundle {
  return { ...bundle, tlogEntries: bundle.tlogEntries.map(change) }
}
