import { DerReader, equalBytes, hexEncode, TAG } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { checkKeyStrength } from '@touchmark/crypto'
import type { PublicKey } from '@touchmark/crypto'
import { issuerKeyId } from './build-ca.js'
import { parseTbsCertificate } from './certificate.js'
import type { Certificate, TbsCertificate } from './certificate.js'
import * as encode from './encode.js'
import { X509Error } from './errors.js'
import type { LintErrorCode } from './errors.js'
import { decodeFulcioValue, FULCIO_EXTENSIONS, FULCIO_OID } from './fulcio-extensions.js'
import type { SubjectAltName } from './general-names.js'
import { LEAF_VALIDITY_SECONDS } from './leaf-template.js'
import { EXTENSION_OID } from './oids.js'

export interface LintInput {
  /** The TBSCertificate that is about to be signed as a precertificate. */
  readonly tbs: Uint8Array
  /** Issuing CA first, root last. */
  readonly chain: readonly Certificate[]
  /** AlgorithmIdentifier DER that the signature will have. */
  readonly signatureAlgorithm: Uint8Array
  /** The key whose possession was proven, parsed strictly. */
  readonly publicKey: PublicKey
  /** The one name that was authenticated. */
  readonly san: SubjectAltName
}

interface Context extends LintInput {
  readonly issuer: Certificate
  readonly leaf: TbsCertificate
}

interface LintRule {
  readonly code: LintErrorCode
  /** What is wrong, or undefined. */
  check(context: Context): string | undefined
}

/** Fewer octets cannot hold 64 random bits (reliability.md CA3); more are refused by clients (RFC 5280 §4.1.2.2). */
const SERIAL_OCTETS = { least: 9, most: 20 }
const EMPTY_SEQUENCE = Uint8Array.of(0x30, 0)

/** Extensions of a precertificate in their order, with criticality; those of 57264.1 are optional but the issuer's two. */
const ORDER: ReadonlyMap<string, { readonly place: number; readonly critical: boolean }> = new Map(
  [
    [EXTENSION_OID.keyUsage, true] as const,
    [EXTENSION_OID.extKeyUsage, false] as const,
    [EXTENSION_OID.subjectKeyIdentifier, false] as const,
    [EXTENSION_OID.authorityKeyIdentifier, false] as const,
    [EXTENSION_OID.subjectAltName, true] as const,
    ...FULCIO_EXTENSIONS.map(({ name }) => [FULCIO_OID[name], false] as const),
    [EXTENSION_OID.poison, true] as const,
  ].map(([oid, critical], place) => [oid, { place, critical }]),
)

/** The rules of ca.md §9, each with its own code. They see only what the parser reads from the bytes, never the template. */
export const LINT_RULES: readonly LintRule[] = [
  { code: 'X509_LINT_VERSION', check: ({ leaf }) => (leaf.version === 3 ? undefined : 'the version is not 3') },
  {
    code: 'X509_LINT_SERIAL',
    check: ({ leaf: { serialNumber } }) =>
      serialNumber.length < SERIAL_OCTETS.least || serialNumber.length > SERIAL_OCTETS.most
        ? `the serial number has ${serialNumber.length} octets`
        : undefined,
  },
  {
    code: 'X509_LINT_SIGNATURE_ALGORITHM',
    check: ({ leaf, signatureAlgorithm }) =>
      equalBytes(leaf.signatureAlgorithm.der, signatureAlgorithm) ? undefined : "the algorithm is not the CA key's",
  },
  {
    code: 'X509_LINT_ISSUER',
    check: ({ leaf, issuer }) =>
      equalBytes(leaf.issuer, issuer.subject) ? undefined : "the issuer is not the CA's subject, byte for byte",
  },
  {
    code: 'X509_LINT_VALIDITY',
    check: ({ leaf }) =>
      leaf.notAfter.getTime() - leaf.notBefore.getTime() === LEAF_VALIDITY_SECONDS * 1000
        ? undefined
        : `the validity is not ${LEAF_VALIDITY_SECONDS} s`,
  },
  {
    code: 'X509_LINT_TIME_ENCODING',
    check: ({ leaf }) =>
      equalBytes(leaf.validity, encode.validity(leaf.notBefore, leaf.notAfter))
        ? undefined
        : 'times must be UTCTime before 2050 and GeneralizedTime from then on',
  },
  {
    code: 'X509_LINT_OUTLIVES_CHAIN',
    check: ({ leaf, chain }) =>
      chain.every(({ notBefore, notAfter }) => leaf.notBefore >= notBefore && leaf.notAfter <= notAfter)
        ? undefined
        : 'the validity does not lie inside that of every CA above',
  },
  {
    code: 'X509_LINT_SUBJECT',
    check: ({ leaf }) => (equalBytes(leaf.subject, EMPTY_SEQUENCE) ? undefined : 'the subject is not empty'),
  },
  { code: 'X509_LINT_KEY', check: checkKey },
  { code: 'X509_LINT_UNIQUE_ID', check: ({ leaf }) => (leaf.hasUniqueId ? 'there is a unique id' : undefined) },
  {
    code: 'X509_LINT_EXTENSION_UNKNOWN',
    check: ({ leaf }) => {
      const found = [...leaf.extensions.keys()].find((oid) => !ORDER.has(oid))
      return found === undefined ? undefined : `extension ${found} is not in the profile`
    },
  },
  {
    code: 'X509_LINT_EXTENSION_ORDER',
    check: ({ leaf }) => {
      const places = [...leaf.extensions.keys()].flatMap((oid) => ORDER.get(oid)?.place ?? [])
      return places.every((place, i) => i === 0 || place > places[i - 1]!) ? undefined : 'extensions are out of order'
    },
  },
  { code: 'X509_LINT_EXTENSION_CRITICALITY', check: checkCriticality },
  {
    code: 'X509_LINT_KEY_USAGE',
    check: ({ leaf }) =>
      hasValue(leaf, EXTENSION_OID.keyUsage, '03020780') ? undefined : 'keyUsage must be digitalSignature alone',
  },
  {
    code: 'X509_LINT_EXT_KEY_USAGE',
    check: ({ leaf }) =>
      hasValue(leaf, EXTENSION_OID.extKeyUsage, '300a06082b06010505070303')
        ? undefined
        : 'extKeyUsage must be codeSigning alone',
  },
  {
    code: 'X509_LINT_SUBJECT_KEY_ID',
    check: ({ leaf, publicKey }) =>
      hasValue(leaf, EXTENSION_OID.subjectKeyIdentifier, `0414${hexEncode(encode.keyIdentifier(publicKey))}`)
        ? undefined
        : 'the subject key identifier is not the SHA-1 of the key',
  },
  {
    code: 'X509_LINT_AUTHORITY_KEY_ID',
    check: ({ leaf, issuer }) =>
      hasValue(leaf, EXTENSION_OID.authorityKeyIdentifier, `30168014${hexEncode(issuerKeyId(issuer))}`)
        ? undefined
        : "the authority key identifier is not the CA's",
  },
  { code: 'X509_LINT_SAN', check: checkSan },
  { code: 'X509_LINT_FULCIO_EXTENSION', check: checkFulcioExtensions },
  { code: 'X509_LINT_ISSUER_EXTENSION', check: checkIssuerExtensions },
  {
    code: 'X509_LINT_POISON',
    check: ({ leaf }) =>
      hasValue(leaf, EXTENSION_OID.poison, '0500') ? undefined : 'the poison is missing or is not NULL',
  },
]

/** Contents as ca.md §9 to §11 print them, in hexadecimal. */
function hasValue(leaf: TbsCertificate, oid: string, wantedHex: string): boolean {
  const found = leaf.extensions.get(oid)
  return found !== undefined && hexEncode(found.value) === wantedHex
}

function checkCriticality({ leaf }: Context): string | undefined {
  for (const { oid, critical, bytes } of leaf.extensions.values()) {
    const wanted = ORDER.get(oid)?.critical ?? critical
    if (critical !== wanted) return `extension ${oid} must ${wanted ? '' : 'not '}be critical`
    if (!critical && hasBoolean(bytes)) return `extension ${oid} spells out its default`
  }
  return undefined
}

function hasBoolean(extension: Uint8Array): boolean {
  const fields = new DerReader(extension).sequence()
  fields.any()
  return fields.peek() === TAG.boolean
}

function checkKey({ leaf, publicKey }: Context): string | undefined {
  if (!equalBytes(leaf.spki, publicKey.spki)) return 'the key is not the one whose possession was proven'
  try {
    checkKeyStrength(publicKey)
    return undefined
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.message
  }
}

function checkSan({ leaf, san }: Context): string | undefined {
  const [name] = leaf.san
  if (name === undefined || leaf.san.length !== 1 || leaf.unknownNames.length !== 0)
    return 'there must be exactly one subject alternative name'
  return name.type === san.type && name.value === san.value && name.value !== ''
    ? undefined
    : 'the subject alternative name is not the authenticated one'
}

function checkFulcioExtensions({ leaf }: Context): string | undefined {
  for (const { name, raw } of FULCIO_EXTENSIONS) {
    const found = leaf.extensions.get(FULCIO_OID[name])
    if (found === undefined) continue
    const text = textOf(raw, found.value)
    if (text === undefined || text === '') return `extension ${name} is ${text === '' ? 'empty' : 'not what it says'}`
  }
  return undefined
}

function checkIssuerExtensions({ leaf }: Context): string | undefined {
  const [v1, v2] = [leaf.extensions.get(FULCIO_OID.issuerV1), leaf.extensions.get(FULCIO_OID.issuerV2)]
  const alike = v1 !== undefined && v2 !== undefined && textOf(true, v1.value) === textOf(false, v2.value)
  return alike ? undefined : 'the OIDC issuer must be in .1 and .8, alike'
}

function textOf(raw: boolean, value: Uint8Array): string | undefined {
  try {
    return decodeFulcioValue(raw, value)
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}

/**
 * Reads a precertificate's TBS again, apart from what wrote it, and holds it against every rule of the profile. Throws the
 * X509_LINT_* code of the first rule that is broken.
 */
export function lintLeaf(input: LintInput): void {
  const issuer = input.chain[0]
  if (issuer === undefined) throw new X509Error('X509_LINT_ISSUER', 'there is no issuing CA')
  let leaf: TbsCertificate
  try {
    leaf = parseTbsCertificate(input.tbs)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new X509Error('X509_LINT_UNPARSABLE', cause.message, { cause })
  }
  const context = { ...input, issuer, leaf }
  for (const rule of LINT_RULES) {
    const problem = rule.check(context)
    if (problem !== undefined) throw new X509Error(rule.code, `profile: ${problem}`)
  }
}
