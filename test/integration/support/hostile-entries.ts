import { createHash, randomBytes } from 'node:crypto'
import { generateSigner } from '@touchmark/crypto/node'
import { derInteger, derOctetString, derOid, derSequence, pemEncode, utf8Encode } from '@touchmark/encoding'
import { algorithmIdentifier, encodeSubjectAltName } from '@touchmark/x509'
import { commonName, P256, plainFields, rawTbs, unsigned } from '../../../libs/x509/src/testing/certificates.js'

const NAMES = derOid('2.5.29.17')
const ISSUER_V1 = derOid('1.3.6.1.4.1.57264.1.1')
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** What somebody may call himself who wants more than a name. */
export const HOSTILE: Readonly<Record<string, string>> = {
  sql: `x'; drop table log_entries; --`,
  html: `<script>alert(1)</script>"&'`,
  ansi: '\u001b[2J\u001b]0;owned\u0007\u009b31m',
  lines: 'a\r\nproven: nothing\n{"level":60}\u2028b\u0085',
  bidi: '\u202emoc.elpmaxe\u2066@\u2069\u200f\u061c',
  format: '%s %n ${jndi:x} {{7*7}} $(id) `id`',
}

/** A request to each API for one entry, signed with a certificate for this name and issuer; nobody vouches for the certificate. */
export async function certifiedRequests(
  identity: string,
  serial: bigint,
): Promise<{ v1: string; v2: string; digest: string }> {
  const signer = generateSigner(P256)
  const extensions = [
    derSequence(NAMES, derOctetString(encodeSubjectAltName({ type: 'otherName', value: identity }))),
    derSequence(ISSUER_V1, derOctetString(utf8Encode(identity))),
  ]
  const fields = plainFields(signer, {
    serial: derInteger(serial),
    subject: commonName(identity),
    issuer: commonName(identity),
    extensions,
  })
  const der = unsigned(rawTbs(fields), algorithmIdentifier(signer.scheme))
  const data = randomBytes(32)
  const digest = createHash('sha256').update(data).digest()
  const content = base64(await signer.sign(data))
  const verifier = { x509Certificate: { rawBytes: base64(der) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  const v2 = { hashedRekordRequestV002: { digest: base64(digest), signature: { content, verifier } } }
  const publicKey = { content: base64(utf8Encode(pemEncode('CERTIFICATE', der))) }
  const spec = {
    data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
    signature: { content, publicKey },
  }
  return {
    v1: JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec }),
    v2: JSON.stringify(v2),
    digest: digest.toString('hex'),
  }
}
