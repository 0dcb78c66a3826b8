import { generateSigner } from '@touchmark/crypto/node'
import { algorithmIdentifier, encodeSubjectAltName, type SubjectAltName } from '@touchmark/x509'
import { derInteger, derOctetString, derOid, derSequence, utf8Encode } from '@touchmark/encoding'
import { encodeEntryBody, searchKey, type SearchKey, type SearchKind } from '@touchmark/entry'
import { sha256 } from '../../../libs/ledger/src/sha256.js'
import { P256, plainFields, rawTbs, unsigned } from '../../../libs/x509/src/testing/certificates.js'

const signer = generateSigner(P256)
const ISSUER_V1 = derOid('1.3.6.1.4.1.57264.1.1')
const NAMES = derOid('2.5.29.17')

export interface SignedBy {
  readonly identity: string
  readonly type?: SubjectAltName['type']
  readonly issuer?: string
  readonly serial?: number
}

/** The stored body of an entry that a certificate for this identity signed; `artifact` makes it another entry. Nothing in it verifies: the index does not look. */
export function signedBody(
  artifact: string,
  { identity, type = 'otherName', issuer, serial = 4242 }: SignedBy,
): Uint8Array {
  const names = encodeSubjectAltName({ type, value: identity })
  const extensions = [derSequence(NAMES, derOctetString(names))]
  if (issuer !== undefined) extensions.push(derSequence(ISSUER_V1, derOctetString(utf8Encode(issuer))))
  const fields = plainFields(signer, { serial: derInteger(BigInt(serial)), extensions })
  return encodeEntryBody({
    kind: 'hashedrekord',
    version: '0.0.2',
    data: { algorithm: 'SHA2_256', digest: digestOf(artifact) },
    signature: {
      content: Uint8Array.of(1),
      verifier: {
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        x509Certificate: unsigned(rawTbs(fields), algorithmIdentifier(signer.scheme)),
      },
    },
  })
}

export function digestOf(artifact: string): Uint8Array {
  return sha256(utf8Encode(artifact))
}

export function keyOf(kind: SearchKind, text: string): SearchKey {
  return searchKey(kind, text, sha256)
}
