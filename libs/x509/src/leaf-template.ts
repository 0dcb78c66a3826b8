import { concatBytes, derExplicit, derSequence } from '@touchmark/encoding'
import type { PublicKey } from '@touchmark/crypto'
import { issuerKeyId } from './build-ca.js'
import type { Certificate } from './certificate.js'
import * as encode from './encode.js'
import { X509Error } from './errors.js'
import { encodeFulcioExtensions } from './fulcio-extensions.js'
import type { FulcioExtensionValues } from './fulcio-extensions.js'
import { encodeSubjectAltName } from './general-names.js'
import type { SubjectAltName } from './general-names.js'
import { EXTENSION_OID } from './oids.js'
import { encodeSctExtension } from './sct.js'
import type { SignedCertificateTimestamp } from './sct.js'

/** Seconds that a code signing certificate lives (ca.md §9). */
export const LEAF_VALIDITY_SECONDS = 600

export interface LeafInput {
  readonly issuer: Certificate
  /** AlgorithmIdentifier DER of the issuer's signatures. */
  readonly signatureAlgorithm: Uint8Array
  readonly publicKey: PublicKey
  readonly san: SubjectAltName
  /** The OIDC issuer, written to .1 and .8. */
  readonly oidcIssuer: string
  readonly extensions: FulcioExtensionValues
  /** Content octets of a positive INTEGER, see `randomSerial`. */
  readonly serial: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
}

/** The parts of a code signing certificate's TBS, from which its three forms are put together. */
export interface LeafParts {
  /** All fields before the extensions. */
  readonly head: Uint8Array
  /** Extension elements without poison and SCT list, in order. */
  readonly extensions: readonly Uint8Array[]
}

const EMPTY_SUBJECT = Uint8Array.of(0x30, 0)
const CODE_SIGNING = encode.extKeyUsage('codeSigning', false)

// The same in every certificate of one issuing CA, so it is encoded once.
const authorityKeyIds = new WeakMap<Certificate, Uint8Array>()

function authorityKeyIdOf(issuer: Certificate): Uint8Array {
  let element = authorityKeyIds.get(issuer)
  if (element === undefined) authorityKeyIds.set(issuer, (element = encode.authorityKeyId(issuerKeyId(issuer))))
  return element
}

/**
 * Writes the fields and extensions of a code signing certificate in the order and encodings of ca.md §9 and §11. Judges
 * nothing but what cannot be written: X509_SAN_NOT_IA5, X509_EXTENSION_INVALID for an empty OIDC issuer. `lintLeaf` does.
 */
export function prepareLeaf(input: LeafInput): LeafParts {
  if (input.oidcIssuer === '')
    throw new X509Error('X509_EXTENSION_INVALID', 'extensions must have a non-empty issuer url')
  const san = encodeSubjectAltName(input.san)
  const head = concatBytes(
    encode.VERSION_3,
    encode.serialInteger(input.serial),
    input.signatureAlgorithm,
    input.issuer.subject,
    encode.validity(input.notBefore, input.notAfter),
    EMPTY_SUBJECT,
    input.publicKey.spki,
  )
  const extensions = [
    encode.KEY_USAGE_SIGNATURE,
    CODE_SIGNING,
    encode.subjectKeyId(encode.keyIdentifier(input.publicKey)),
    authorityKeyIdOf(input.issuer),
    encode.extension(EXTENSION_OID.subjectAltName, true, san),
    ...encodeFulcioExtensions(input.oidcIssuer, input.extensions),
  ]
  return { head, extensions }
}

/** TBSCertificate with neither poison nor SCT list: what a log's entry holds and an SCT covers. */
export function plainTbs(parts: LeafParts): Uint8Array {
  return tbs(parts)
}

/** TBSCertificate of the precertificate: the poison comes last (ca.md §10). */
export function withPoison(parts: LeafParts): Uint8Array {
  return tbs(parts, encode.POISON)
}

/** TBSCertificate of the final certificate: the SCT list comes last. */
export function withScts(parts: LeafParts, scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  return tbs(parts, encode.extension(EXTENSION_OID.sctList, false, encodeSctExtension(scts)))
}

function tbs({ head, extensions }: LeafParts, ...last: readonly Uint8Array[]): Uint8Array {
  return derSequence(head, derExplicit(3, derSequence(...extensions, ...last)))
}
