import {
  BUNDLE_V03_MEDIA_TYPE,
  pae,
  type Bundle,
  type BundleContent,
  type BundleHashAlgorithm,
} from '@touchmark/bundle'
import { defaultKeyDetails, type CryptoPort, type Signer } from '@touchmark/crypto'
import { base64Encode } from '@touchmark/encoding'
import { requestCertificate, type CertifiedKey } from './ca-client.js'
import type { HttpOptions } from './http.js'
import { recordSignature } from './log-client.js'
import { requestTimestamp } from './tsa-client.js'

/** The services of one instance, as its signing config names them. */
export interface Services {
  readonly caUrl: string
  readonly logUrl: string
  /** The full URL of the timestamp route. Without one there are no timestamps, which only a key of its own can do without. */
  readonly tsaUrl?: string
}

/** The steps of a signing, for progress. */
export type SignStep = 'certificate' | 'signature' | 'log' | 'timestamp'

export interface SignContext {
  readonly services: Services
  readonly http: HttpOptions
  readonly crypto: CryptoPort
  /** Eight random bytes as a number, for the timestamp's nonce. */
  readonly nonce: () => bigint
  readonly onStep?: (step: SignStep, ms: number) => void
  /** Milliseconds that only go forward, for {@link onStep}. */
  readonly elapsed: () => number
}

/** A key that stands for itself: verifiers are given its public half, and may look it up by the hint. */
export interface ManagedKey {
  readonly signer: Signer
  readonly hint: string
}

/** Who signs: a key with the certificate that names its holder, good for ten minutes and for any number of artifacts in them; or a key of its own. */
export type SigningIdentity = CertifiedKey | ManagedKey

/** The identity of a key of its own; its hint is what Go clients write: base64 of the SHA-256 of the SPKI. */
export function managedKey(signer: Signer, crypto: CryptoPort): ManagedKey {
  return { signer, hint: base64Encode(crypto.hash('SHA2_256', signer.publicKey.spki)) }
}

/** Obtains a certificate for a fresh key. `makeKey` is called for each try, see {@link requestCertificate}; the key is the caller's to forget. */
export function obtainIdentity(token: string, makeKey: () => Signer, context: SignContext): Promise<CertifiedKey> {
  return timed('certificate', context, () => requestCertificate(context.services.caUrl, token, makeKey, context.http))
}

/** Signs an artifact's bytes. Resolves with a bundle v0.3 that nobody has verified yet: callers MUST verify it before they write it. */
export async function signBlob(artifact: Uint8Array, identity: SigningIdentity, context: SignContext): Promise<Bundle> {
  const algorithm = hashOf(identity.signer)
  const digest = context.crypto.hash(algorithm, artifact)
  const signature = await timed('signature', context, () => identity.signer.sign(artifact))
  const content: BundleContent = { kind: 'message', message: { messageDigest: { algorithm, digest }, signature } }
  return witness(content, { digest, signature }, identity, context)
}

/** Signs an in-toto statement, given as the bytes of its JSON, in a DSSE envelope. The same obligation as for {@link signBlob}. */
export async function signStatement(
  statement: Uint8Array,
  payloadType: string,
  identity: SigningIdentity,
  context: SignContext,
): Promise<Bundle> {
  const message = pae(payloadType, statement)
  const digest = context.crypto.hash(hashOf(identity.signer), message)
  const sig = await timed('signature', context, () => identity.signer.sign(message))
  const content: BundleContent = {
    kind: 'dsse',
    envelope: { payload: statement, payloadType, signature: { sig, keyid: '' } },
  }
  return witness(content, { digest, signature: sig }, identity, context)
}

function hashOf(signer: Signer): BundleHashAlgorithm {
  return defaultKeyDetails(signer.publicKey).hash
}

/** The log and the timestamp authority do not need each other, so both are asked at once; a bundle exists only when both have answered. */
async function witness(
  content: BundleContent,
  signed: { digest: Uint8Array; signature: Uint8Array },
  identity: SigningIdentity,
  context: SignContext,
): Promise<Bundle> {
  const { logUrl, tsaUrl } = context.services
  const { publicKey } = identity.signer
  const verifier = 'certificate' in identity ? { certificate: identity.certificate } : { publicKey: publicKey.spki }
  const [entry, timestamps] = await Promise.all([
    timed('log', context, () => recordSignature(logUrl, { ...signed, key: publicKey, verifier }, context.http)),
    tsaUrl === undefined ? [] : timed('timestamp', context, () => stamp(tsaUrl, signed.signature, context)),
  ])
  return {
    mediaType: BUNDLE_V03_MEDIA_TYPE,
    version: '0.3',
    signer:
      'certificate' in identity
        ? { kind: 'certificate', certificate: identity.certificate }
        : { kind: 'publicKey', hint: identity.hint },
    tlogEntries: [entry],
    timestamps,
    content,
  }
}

async function stamp(tsaUrl: string, signature: Uint8Array, context: SignContext): Promise<Uint8Array[]> {
  const { crypto, http } = context
  return [await requestTimestamp(tsaUrl, signature, { crypto, nonce: context.nonce(), http })]
}

async function timed<T>(step: SignStep, context: SignContext, work: () => Promise<T>): Promise<T> {
  const started = context.elapsed()
  const value = await work()
  context.onStep?.(step, context.elapsed() - started)
  return value
}
