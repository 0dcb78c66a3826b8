import type { Bundle } from '@touchmark/bundle'
import { defaultKeyDetails, KEY_DETAILS, type CryptoPort, type KeyDetails, type PublicKey } from '@touchmark/crypto'
import { base64Encode, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { TrustedRoot } from '@touchmark/trust'
import { fulcioExtensions, parseCertificate, type Certificate, type FulcioExtensions } from '@touchmark/x509'
import { VerifyError } from './errors.js'
import { leafOf } from './known-leaves.js'
import type { VerifiedSigner } from './result.js'

/** Keys given by the user instead of an identity, and the root that their log entries are held against. */
export interface KeyTrust {
  /** The signer's key. */
  readonly key?: PublicKey
  /** Or several, by the hint that bundles name them by (Go clients: base64 of SHA-256 of the SPKI). The hint only chooses. */
  readonly keysByHint?: ReadonlyMap<string, PublicKey>
  readonly root?: TrustedRoot
}

/** Who the bundle says signed it; nothing about it is proven yet. */
export type ClaimedSigner =
  | { readonly kind: 'certificate'; readonly certificate: Certificate; readonly key: PublicKey }
  | { readonly kind: 'key'; readonly key: PublicKey }

/** Reads the certificate, or takes the key that was given. */
export function claimedSigner(bundle: Bundle, keys: KeyTrust | undefined, crypto: CryptoPort): ClaimedSigner {
  const { signer } = bundle
  if (signer.kind === 'publicKey') return { kind: 'key', key: givenKey(signer.hint, keys) }
  if (keys !== undefined)
    throw new VerifyError('VERIFY_KEY_UNEXPECTED', 'a key was given for a bundle that is signed with a certificate', {
      check: 'public key',
      expected: 'a bundle signed with a key',
      found: 'a certificate',
    })
  const [leafDer, ...others] = signer.kind === 'certificate' ? [signer.certificate] : signer.certificates
  const certificate = readCertificate(leafDer, (der) => leafOf(der, crypto))
  for (const der of others) {
    // Intermediates of the bundle are not used: paths go over the trusted root's own certificates.
    const { isSelfIssued, subject } = readCertificate(der, parseCertificate)
    if (isSelfIssued)
      throw new VerifyError('VERIFY_CHAIN_HAS_ROOT', 'the bundle brings a root certificate along', {
        check: 'certificate path',
        expected: 'no self-signed certificate in the bundle',
        found: `a self-issued certificate (${hexEncode(subject).slice(0, 80)})`,
      })
  }
  try {
    return { kind: 'certificate', certificate, key: certificate.publicKey }
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw unsupportedKey(cause.message, cause)
  }
}

function givenKey(hint: string, keys: KeyTrust | undefined): PublicKey {
  const key = keys?.key ?? keys?.keysByHint?.get(hint)
  if (key === undefined)
    throw new VerifyError('VERIFY_KEY_MISSING', 'the bundle is signed with a key that was not given', {
      check: 'public key',
      expected: `the public key with the hint "${hint.slice(0, 100)}"`,
      found: keys === undefined ? 'no key' : `${keys.keysByHint?.size ?? 0} other keys`,
    })
  return key
}

function readCertificate(der: Uint8Array, parse: (der: Uint8Array) => Certificate): Certificate {
  try {
    return parse(der)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new VerifyError('VERIFY_CERTIFICATE_INVALID', cause.message, {
      cause,
      check: 'certificate',
      expected: 'a DER certificate',
      found: base64Encode(der.subarray(0, 24)),
    })
  }
}

/** Who signed, as the certificate says. Throws VERIFY_CERTIFICATE_INVALID when it does not say exactly one name and one issuer. */
export function signerOf(claimed: ClaimedSigner): VerifiedSigner {
  if (claimed.kind === 'key') return { kind: 'key', publicKey: claimed.key }
  const { certificate } = claimed
  const [subject, ...others] = certificate.san
  if (subject === undefined || others.length > 0 || certificate.unknownNames.length > 0)
    throw badIdentity(
      'the certificate must name exactly one signer',
      'one e-mail address, URI or user name',
      `${certificate.san.length + certificate.unknownNames.length} names`,
    )
  const { issuer, issuerV1, issuerV2, values } = identityExtensions(certificate)
  if (issuer === undefined)
    throw badIdentity('the certificate does not say who vouched for the signer', 'an issuer', 'none')
  if (issuerV1 !== undefined && issuerV2 !== undefined && issuerV1 !== issuerV2)
    throw badIdentity('the certificate names two issuers', issuerV2, issuerV1)
  // The parsed certificate is remembered (known-leaves.ts): what a caller does to its result must not change the next one.
  return {
    kind: 'certificate',
    subject: { ...subject },
    issuer,
    extensions: { ...values },
    certificate: certificate.der.slice(),
  }
}

function identityExtensions(certificate: Certificate): FulcioExtensions {
  try {
    return fulcioExtensions(certificate)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw badIdentity(cause.message, 'extensions of a signing certificate', 'ones that do not decode', cause)
  }
}

function badIdentity(message: string, expected: string, found: string, cause?: unknown): VerifyError {
  return new VerifyError('VERIFY_CERTIFICATE_INVALID', message, {
    cause,
    check: 'certificate identity',
    expected,
    found,
  })
}

function unsupportedKey(why: string, cause?: unknown): VerifyError {
  return new VerifyError('VERIFY_KEY_UNSUPPORTED', `the signer's key cannot be used: ${why}`, {
    cause,
    check: 'signature',
    expected: 'ECDSA P-256, P-384 or P-521, Ed25519, or RSA of 2048, 3072 or 4096 bits',
    found: why,
  })
}

/** How the key signs unless something says otherwise, and the only way that a v2 log stores. Throws VERIFY_KEY_UNSUPPORTED. */
export function defaultDetails(key: PublicKey): KeyDetails {
  try {
    return defaultKeyDetails(key)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw unsupportedKey(cause.message, cause)
  }
}

/**
 * All ways in which real clients sign with such a key, the default first: P-384 and P-521 with SHA-256 in entries of API v1,
 * Ed25519 pure in envelopes (contract/log-v1.md §6). Throws VERIFY_KEY_UNSUPPORTED.
 */
export function acceptedDetails(key: PublicKey): readonly KeyDetails[] {
  const first = defaultDetails(key)
  return [first, ...KEY_DETAILS.filter((one) => one !== first && one.fits(key.type))]
}
