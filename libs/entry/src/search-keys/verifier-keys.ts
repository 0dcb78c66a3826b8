import { concatBytes, pemDecodeAll, pemEncode, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { decodeFulcioValue, FULCIO_OID, parseCertificate, type Certificate } from '@touchmark/x509'
import { certificateNames } from './certificate-names.js'
import type { KeyCollector } from './search-key.js'

/** Certificates in one PEM text (log-v1.md §6). */
const MAX_PEM_BLOCKS = 10

/** Runs a reading of bytes that an enemy wrote: what is malformed is noted, and only a fault of ours is thrown. */
export function noting(keys: KeyCollector, read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!isCodedError(error)) throw error
    keys.unread()
  }
}

/** Keys of a certificate: its names, its issuer's names, its serial number, its public key. */
export function addCertificate(keys: KeyCollector, der: Uint8Array): void {
  noting(keys, () => {
    const certificate = parseCertificate(der)
    keys.addHash('publicKey', certificate.spki)
    keys.add('serial', certificate.serialHex)
    for (const name of certificateNames(certificate)) keys.add('identity', name)
    addIssuers(keys, certificate)
  })
}

/** The OIDC issuer stands in 57264.1.8 as a UTF8String and, of older certificates alone, in 57264.1.1 as it is. */
function addIssuers(keys: KeyCollector, { extensions }: Certificate): void {
  for (const [oid, raw] of [
    [FULCIO_OID.issuerV2, false],
    [FULCIO_OID.issuerV1, true],
  ] as const) {
    const extension = extensions.get(oid)
    if (extension !== undefined) noting(keys, () => keys.add('issuer', decodeFulcioValue(raw, extension.value)))
  }
}

/** Keys of a SubjectPublicKeyInfo. */
export function addPublicKey(keys: KeyCollector, spki: Uint8Array): void {
  keys.addHash('publicKey', spki)
}

/**
 * Keys of the PEM text of an API v1 entry: the hash of the whole text in its canonical form, which is what `index/retrieve` asks for; of a chain also that
 * of its leaf alone; and everything of the leaf itself. `prefixed`: the hash is also a digest, as the reference writes it for dsse and intoto.
 */
export function addPem(keys: KeyCollector, text: Uint8Array, prefixed: boolean): void {
  noting(keys, () => {
    const blocks = pemDecodeAll(utf8Decode(text), MAX_PEM_BLOCKS)
    const leaf = blocks[0]
    if (leaf === undefined) return keys.unread()
    const canonical = blocks.map(({ label, bytes }) => utf8Encode(pemEncode(label, bytes)))
    addKeyText(keys, concatBytes(...canonical), prefixed)
    if (blocks.length > 1) addKeyText(keys, canonical[0]!, prefixed)
    if (leaf.label === 'CERTIFICATE') addCertificate(keys, leaf.bytes)
    else if (leaf.label === 'PUBLIC KEY') addPublicKey(keys, leaf.bytes)
    else keys.unread()
  })
}

/** The hash of a key in its canonical text, of whatever format. */
export function addKeyText(keys: KeyCollector, canonical: Uint8Array, prefixed: boolean): void {
  keys.addHash('publicKey', canonical)
  if (prefixed) keys.addHash('digest', canonical, 'sha256:')
}
