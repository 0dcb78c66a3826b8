import { beforeAll, describe, expect, it } from '@jest/globals'
import { hexDecode } from '@touchmark/encoding'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { parseCertificate } from './certificate.js'
import type { Certificate } from './certificate.js'
import * as encode from './encode.js'
import { entity, P256, plainFields, rawTbs } from './testing/certificates.js'
import type { Entity } from './testing/certificates.js'
import { verifyCertificateSignature } from './verify-signature.js'

let ca: Entity
let issued: Entity
beforeAll(async () => {
  ca = await entity({ name: 'ca' })
  issued = await entity({ name: 'leaf', issuedBy: ca })
})

/** Signed by the CA, but it says that this algorithm was used. */
async function claiming(algorithmHex: string): Promise<Certificate> {
  const algorithm = hexDecode(algorithmHex)
  const tbs = rawTbs(plainFields(generateSigner(P256), { algorithm }))
  return parseCertificate(encode.assembleCertificate(tbs, algorithm, await ca.signer.sign(tbs)))
}

describe('the signature of a certificate', () => {
  it('was made by its issuer', () => {
    const key = ca.signer.publicKey
    expect(() => verifyCertificateSignature(issued.certificate, key, nodeCrypto)).not.toThrow()
    const other = generateSigner(P256).publicKey
    expect(() => verifyCertificateSignature(issued.certificate, other, nodeCrypto)).toThrowCode(
      'X509_SIGNATURE_INVALID',
    )
  })
  it.each([
    ['unknown', '300506032a0304'],
    ['not taken (ECDSA with SHA-1)', '300906072a8648ce3d0401'],
    ['of another kind of key', '300d06092a864886f70d01010b0500'],
  ])('with an algorithm that is %s is not tried', async (_, hex) => {
    const certificate = await claiming(hex)
    const crypto = { ...nodeCrypto, verify: () => true }
    expect(() => verifyCertificateSignature(certificate, ca.signer.publicKey, crypto)).toThrowCode(
      'X509_ALGORITHM_UNSUPPORTED',
    )
  })
})
