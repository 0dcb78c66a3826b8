import { derExplicit, derSequence, equalBytes } from '@touchmark/encoding'
import type { PublicKey, Signer } from '@touchmark/crypto'
import { algorithmIdentifier } from './algorithms.js'
import type { Certificate } from './certificate.js'
import * as encode from './encode.js'
import { X509Error } from './errors.js'
import { encodeSubjectName } from './names.js'
import type { SubjectName } from './names.js'
import type { Purpose } from './oids.js'
import { randomSerial } from './serial.js'
import type { RandomBytes } from './serial.js'

interface Common {
  /** Organization and common name, both needed (contract/trust.md §2). */
  readonly subject: SubjectName
  /** Whole seconds count; milliseconds are cut off. */
  readonly notBefore: Date
  readonly notAfter: Date
  /** Signs; for a root, with the root's own key. */
  readonly signer: Signer
  readonly random: RandomBytes
}

export type RootProfile = Common & {
  /** CAs that may follow below; unlimited when left out. */
  readonly pathLength?: number
}

export type IssuedProfile = Common & {
  readonly key: PublicKey
  readonly issuer: Certificate
}

export type IntermediateProfile = IssuedProfile & { readonly purpose: Purpose }

/**
 * A self-signed root (ca.md §9, tsa.md §4): CA, certificate and CRL signing, no purpose of its own, so one profile serves
 * the CA and the TSA. Gives DER. Throws X509_PROFILE_INVALID, X509_NAME_INVALID, or what the signer throws.
 */
export async function buildRootCertificate(profile: RootProfile): Promise<Uint8Array> {
  const subject = encodeSubjectName(profile.subject)
  const key = profile.signer.publicKey
  const extensions = [
    encode.caConstraints(profile.pathLength),
    encode.KEY_USAGE_CA,
    encode.subjectKeyId(encode.keyIdentifier(key)),
  ]
  return sign(profile, subject, subject, key, extensions)
}

/**
 * An issuing CA below a root: path length 0, one purpose. Gives DER. Throws X509_PROFILE_INVALID when the signer is not the
 * issuer's key, the issuer is no CA, or the dates do not lie inside the issuer's.
 */
export async function buildIntermediateCertificate(profile: IntermediateProfile): Promise<Uint8Array> {
  const extensions = [
    encode.caConstraints(0),
    encode.KEY_USAGE_CA,
    encode.extKeyUsage(profile.purpose, false),
    encode.subjectKeyId(encode.keyIdentifier(profile.key)),
    encode.authorityKeyId(issuerKeyId(profile.issuer)),
  ]
  return signBelow(profile, extensions)
}

/**
 * The certificate of a timestamp signer (tsa.md §4): end entity, digitalSignature, timeStamping as its one purpose and
 * critical. Gives DER. Throws like {@link buildIntermediateCertificate}.
 */
export async function buildTsaLeaf(profile: IssuedProfile): Promise<Uint8Array> {
  const extensions = [
    encode.KEY_USAGE_SIGNATURE,
    encode.extKeyUsage('timeStamping', true),
    encode.subjectKeyId(encode.keyIdentifier(profile.key)),
    encode.authorityKeyId(issuerKeyId(profile.issuer)),
  ]
  return signBelow(profile, extensions)
}

function refuse(message: string): never {
  throw new X509Error('X509_PROFILE_INVALID', message)
}

/** The issuer's subject key identifier, which the authority key identifier of what it issues repeats. */
export function issuerKeyId(issuer: Certificate): Uint8Array {
  return issuer.ski ?? encode.keyIdentifier(issuer.publicKey)
}

function signBelow(profile: IssuedProfile, extensions: readonly Uint8Array[]): Promise<Uint8Array> {
  const { issuer } = profile
  if (issuer.basicConstraints?.ca !== true) refuse('the issuer is not a CA')
  if (!equalBytes(issuer.spki, profile.signer.publicKey.spki)) refuse("the signer is not the issuer's key")
  if (
    profile.notBefore.getTime() < issuer.notBefore.getTime() ||
    profile.notAfter.getTime() > issuer.notAfter.getTime()
  )
    refuse("the dates do not lie inside the issuer's")
  return sign(profile, issuer.subject, encodeSubjectName(profile.subject), profile.key, extensions)
}

async function sign(
  profile: Common,
  issuer: Uint8Array,
  subject: Uint8Array,
  key: PublicKey,
  extensions: readonly Uint8Array[],
): Promise<Uint8Array> {
  if (!(profile.notBefore.getTime() < profile.notAfter.getTime())) refuse('notAfter is not after notBefore')
  const algorithm = algorithmIdentifier(profile.signer.scheme)
  const tbs = derSequence(
    encode.VERSION_3,
    encode.serialInteger(randomSerial(profile.random)),
    algorithm,
    issuer,
    encode.validity(profile.notBefore, profile.notAfter),
    subject,
    key.spki,
    derExplicit(3, derSequence(...extensions)),
  )
  return encode.assembleCertificate(tbs, algorithm, await profile.signer.sign(tbs))
}
