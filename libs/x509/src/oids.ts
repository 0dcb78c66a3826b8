import { decodeOid, encodeOid, equalBytes } from '@touchmark/encoding'

/** Object identifiers of extensions that are read here. */
export const EXTENSION_OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  /** RFC 6962 §3.3. */
  sctList: '1.3.6.1.4.1.11129.2.4.2',
  /** RFC 6962 §3.1: makes a precertificate unusable as a certificate. */
  poison: '1.3.6.1.4.1.11129.2.4.3',
} as const

export const PURPOSE_OID = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  any: '2.5.29.37.0',
} as const

export type Purpose = 'codeSigning' | 'timeStamping'

/** Type-id of the otherName that carries a user name (ca.md §5, `username`). */
export const OTHER_NAME_OID = '1.3.6.1.4.1.57264.1.7'

const KNOWN = [
  ...Object.values(EXTENSION_OID),
  ...Object.values(PURPOSE_OID),
  ...Array.from({ length: 24 }, (_, i) => `1.3.6.1.4.1.57264.1.${i + 1}`),
  '2.5.4.3',
  '2.5.4.6',
  '2.5.4.7',
  '2.5.4.8',
  '2.5.4.9',
  '2.5.4.10',
  '2.5.4.11',
  '2.5.4.17',
]

interface KnownOid {
  readonly content: Uint8Array
  readonly dotted: string
}

// By length and last octet: one comparison finds an identifier that is in every certificate, and the general decoder,
// which works on big integers, runs for the rare rest.
const table = new Map<number, KnownOid[]>()
for (const dotted of KNOWN) {
  const content = encodeOid(dotted)
  const slot = (content.length << 8) | content[content.length - 1]!
  table.set(slot, [...(table.get(slot) ?? []), { content, dotted }])
}

/** Dotted decimal of an OBJECT IDENTIFIER's content octets; throws DER_INVALID as `decodeOid` does. */
export function readOid(content: Uint8Array): string {
  const known = table.get((content.length << 8) | (content[content.length - 1] ?? 0))
  if (known !== undefined) for (const one of known) if (equalBytes(one.content, content)) return one.dotted
  return decodeOid(content)
}
