import { describe, expect, it } from '@jest/globals'
import { generateSigner } from '@touchmark/crypto/node'
import { parseCertificate } from './certificate.js'
import { P256, plainFields, rawTbs, unsigned } from './testing/certificates.js'
import type { RawFields } from './testing/certificates.js'

const signer = generateSigner(P256)

function parse(changes: Partial<RawFields>) {
  const fields = plainFields(signer, changes)
  return parseCertificate(unsigned(rawTbs(fields), fields.algorithm))
}

describe('what a certificate does not have', () => {
  it.each([
    ['version 1', { version: new Uint8Array(), extensions: undefined }],
    ['version 3', {}],
  ])('is not there in %s: names, unique ids, purposes, constraints, key identifiers', (_, changes) => {
    const certificate = parse(changes)
    expect(certificate.san).toEqual([])
    expect(certificate.unknownNames).toEqual([])
    expect(certificate.hasUniqueId).toBe(false)
    expect(certificate.extKeyUsage).toBeUndefined()
    expect(certificate.basicConstraints).toBeUndefined()
    expect(certificate.ski).toBeUndefined()
    expect(certificate.aki).toBeUndefined()
  })
})
