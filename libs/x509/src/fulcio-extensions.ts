import {
  derElement,
  derOctetString,
  derOid,
  derSequence,
  EncodingError,
  readDer,
  TAG,
  utf8Decode,
  utf8Encode,
} from '@touchmark/encoding'
import type { TbsCertificate } from './certificate.js'
import { X509Error } from './errors.js'

const ARC = '1.3.6.1.4.1.57264.1'

/**
 * The extensions 1.3.6.1.4.1.57264.1.N (ca.md §8) in the order in which a certificate has them. `raw` ones hold their
 * UTF-8 bytes directly, the others a DER UTF8String.
 */
export const FULCIO_EXTENSIONS = [
  { n: 1, name: 'issuerV1', raw: true },
  { n: 2, name: 'githubWorkflowTrigger', raw: true },
  { n: 3, name: 'githubWorkflowSha', raw: true },
  { n: 4, name: 'githubWorkflowName', raw: true },
  { n: 5, name: 'githubWorkflowRepository', raw: true },
  { n: 6, name: 'githubWorkflowRef', raw: true },
  { n: 8, name: 'issuerV2', raw: false },
  { n: 9, name: 'buildSignerUri', raw: false },
  { n: 10, name: 'buildSignerDigest', raw: false },
  { n: 11, name: 'runnerEnvironment', raw: false },
  { n: 12, name: 'sourceRepositoryUri', raw: false },
  { n: 13, name: 'sourceRepositoryDigest', raw: false },
  { n: 14, name: 'sourceRepositoryRef', raw: false },
  { n: 15, name: 'sourceRepositoryIdentifier', raw: false },
  { n: 16, name: 'sourceRepositoryOwnerUri', raw: false },
  { n: 17, name: 'sourceRepositoryOwnerIdentifier', raw: false },
  { n: 18, name: 'buildConfigUri', raw: false },
  { n: 19, name: 'buildConfigDigest', raw: false },
  { n: 20, name: 'buildTrigger', raw: false },
  { n: 21, name: 'runInvocationUri', raw: false },
  { n: 22, name: 'sourceRepositoryVisibilityAtSigning', raw: false },
  { n: 23, name: 'deploymentEnvironment', raw: false },
  { n: 24, name: 'tokenSubject', raw: false },
] as const

/** What a CA takes from a token beside the issuer, which it writes itself, twice. */
export type FulcioExtensionName = Exclude<(typeof FULCIO_EXTENSIONS)[number]['name'], 'issuerV1' | 'issuerV2'>

/** Extension values by name; what is absent or empty is not written. */
export type FulcioExtensionValues = Partial<Record<FulcioExtensionName, string>>

/** Object identifier of each extension by name. */
export const FULCIO_OID = Object.fromEntries(FULCIO_EXTENSIONS.map(({ n, name }) => [name, `${ARC}.${n}`])) as Readonly<
  Record<FulcioExtensionName | 'issuerV1' | 'issuerV2', string>
>

const ENCODED_OIDS = new Map(FULCIO_EXTENSIONS.map(({ n, name }) => [name, derOid(`${ARC}.${n}`)]))
const BY_OID = new Map(FULCIO_EXTENSIONS.map((extension) => [`${ARC}.${extension.n}`, extension]))

/** What the CA said in a certificate. */
export interface FulcioExtensions {
  /** The OIDC issuer: .8 when it is there, else .1 (as Go clients read it). */
  readonly issuer?: string
  readonly issuerV1?: string
  readonly issuerV2?: string
  readonly values: Readonly<FulcioExtensionValues>
}

/** Content of extnValue for one extension. */
export function encodeFulcioValue(raw: boolean, text: string): Uint8Array {
  const bytes = utf8Encode(text)
  return raw ? bytes : derElement(TAG.utf8String, bytes)
}

/** Content of extnValue as text. Throws X509_EXTENSION_INVALID. */
export function decodeFulcioValue(raw: boolean, value: Uint8Array): string {
  try {
    return utf8Decode(raw ? value : readDer(value, (reader) => reader.element(TAG.utf8String).content))
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new X509Error('X509_EXTENSION_INVALID', `an identity extension does not decode: ${cause.message}`, { cause })
  }
}

/** The whole Extension elements, in the order of a certificate; empty values are left out. */
export function encodeFulcioExtensions(issuer: string, values: FulcioExtensionValues): Uint8Array[] {
  const elements: Uint8Array[] = []
  for (const { name, raw } of FULCIO_EXTENSIONS) {
    const text = name === 'issuerV1' || name === 'issuerV2' ? issuer : (values[name] ?? '')
    if (text === '') continue
    elements.push(derSequence(ENCODED_OIDS.get(name)!, derOctetString(encodeFulcioValue(raw, text))))
  }
  return elements
}

/** Reads the extensions of a certificate. Throws X509_EXTENSION_INVALID when one of them does not decode. */
export function fulcioExtensions(certificate: Pick<TbsCertificate, 'extensions'>): FulcioExtensions {
  const values: FulcioExtensionValues = {}
  const issuers: { issuerV1?: string; issuerV2?: string } = {}
  for (const { oid, value } of certificate.extensions.values()) {
    const known = BY_OID.get(oid)
    if (known === undefined) continue
    const text = decodeFulcioValue(known.raw, value)
    if (known.name === 'issuerV1' || known.name === 'issuerV2') issuers[known.name] = text
    else values[known.name] = text
  }
  const issuer = issuers.issuerV2 ?? issuers.issuerV1
  return { ...(issuer === undefined ? {} : { issuer }), ...issuers, values }
}
