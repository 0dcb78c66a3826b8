import { beforeAll, describe, expect, it } from '@jest/globals'
import type { CryptoPort } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { parseTbsCertificate } from './certificate.js'
import { buildChain } from './chain.js'
import * as encode from './encode.js'
import { dates, entity, P256, plainFields, rawTbs } from './testing/certificates.js'
import type { Entity, EntityOptions } from './testing/certificates.js'

const AT = new Date('2026-06-01T00:00:00Z')
const CA = [encode.caConstraints(undefined), encode.KEY_USAGE_CA]
const LEAF = [encode.KEY_USAGE_SIGNATURE, encode.extKeyUsage('codeSigning', false)]
const EXPIRED = { validity: dates('2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z') }

const key = generateSigner(P256)
const id = encode.keyIdentifier(key.publicKey)
const root = (options: Partial<EntityOptions> = {}): Promise<Entity> =>
  entity({ name: 'root', extensions: CA, ...options })
const middle = (issuedBy: Entity, options: Partial<EntityOptions> = {}): Promise<Entity> =>
  entity({ name: 'middle', extensions: CA, issuedBy, ...options })

function build(
  leaf: Entity,
  intermediates: readonly Entity[],
  roots: readonly Entity[],
  crypto: CryptoPort = nodeCrypto,
): string[] {
  const of = (list: readonly Entity[]) => list.map(({ certificate }) => certificate)
  const input = { leaf: leaf.certificate, intermediates: of(intermediates), roots: of(roots), at: AT, crypto }
  return buildChain({ ...input, purpose: 'codeSigning' }).map(({ serialHex }) => serialHex)
}

let r: Entity
let m: Entity
let leaf: Entity
beforeAll(async () => {
  r = await root()
  m = await middle(r, { signer: key, extensions: [...CA, encode.subjectKeyId(id)] })
  leaf = await entity({ name: 'leaf', issuedBy: m, extensions: [...LEAF, encode.authorityKeyId(id)] })
})

describe('the issuer that the key identifier names', () => {
  function verifications(intermediates: readonly Entity[], of = leaf): number {
    let count = 0
    const verify: CryptoPort['verify'] = (...args) => (count++, nodeCrypto.verify(...args))
    expect(build(of, intermediates, [r], { ...nodeCrypto, verify })).toHaveLength(3)
    return count
  }

  it('is the first that is tried, wherever it stands', async () => {
    const plain = await middle(r)
    const other = await middle(r, { extensions: [...CA, encode.subjectKeyId(Uint8Array.of(1, 2))] })
    for (const list of [
      [m],
      [plain, m],
      [m, plain],
      [other, m],
      [plain, other, m],
      [m, other, plain],
      [other, m, plain],
    ])
      expect(verifications(list)).toBe(2)
  })

  it('is looked for in their order where there is no identifier', async () => {
    const other = await middle(r, { extensions: [...CA, encode.subjectKeyId(Uint8Array.of(1, 2))] })
    const plain = await entity({ name: 'leaf', issuedBy: m, extensions: LEAF })
    expect(verifications([m, other], plain)).toBe(2)
    expect(verifications([other, m], plain)).toBe(3)
  })
})

describe('a path that leads nowhere', () => {
  it('is left for one that does not', async () => {
    const astray = await middle(await root({ name: 'nobody' }), { signer: key })
    const unnamed = await entity({ name: 'leaf', issuedBy: m, extensions: LEAF })
    expect(build(unnamed, [astray, m], [r])).toHaveLength(3)
    expect(build(unnamed, [m, astray], [r])).toHaveLength(3)
  })

  it('is told of by the failure that came furthest', async () => {
    const wrongKey = await middle(r)
    const old = await root({ signer: r.signer, ...EXPIRED })
    for (const list of [
      [wrongKey, m],
      [m, wrongKey],
    ])
      expect(() => build(leaf, list, [old])).toThrowCode('X509_CHAIN_EXPIRED')
  })

  it('is told of by the first of two that came as far', async () => {
    const wrongKey = await middle(r)
    const old = await middle(r, { signer: key, ...EXPIRED })
    const unnamed = await entity({ name: 'leaf', issuedBy: m, extensions: LEAF })
    expect(() => build(unnamed, [wrongKey, old], [r])).toThrowCode('X509_CHAIN_SIGNATURE')
    expect(() => build(unnamed, [old, wrongKey], [r])).toThrowCode('X509_CHAIN_EXPIRED')
  })

  it('is told of by an issuer that was there, before one that was not', async () => {
    const astray = await middle(await root({ name: 'nobody' }), { signer: key })
    const strangers = [await root()]
    for (const list of [
      [astray, m],
      [m, astray],
    ])
      expect(() => build(leaf, list, strangers)).toThrowCode('X509_CHAIN_SIGNATURE')
  })

  it('is not blamed for a mistake of the port', () => {
    class Mistake extends Error {}
    const verify = (): boolean => {
      throw new Mistake()
    }
    expect(() => build(leaf, [m], [r], { ...nodeCrypto, verify })).toThrow(Mistake)
  })
})

describe('a TBSCertificate', () => {
  const withLength = (length: number): Uint8Array => {
    const make = (size: number): Uint8Array =>
      rawTbs(plainFields(key, { extensions: [encode.extension('1.2.3.4', false, new Uint8Array(size))] }))
    const first = make(length - 1000)
    return make(length - 1000 + length - first.length)
  }
  it('may have 64 KiB', () => {
    expect(withLength(65_536)).toHaveLength(65_536)
    expect(parseTbsCertificate(withLength(65_536)).extensions.size).toBe(1)
    expect(() => parseTbsCertificate(withLength(65_537))).toThrowCode('X509_CERTIFICATE_INVALID')
  })
})

describe('a certificate for timestamps', () => {
  it('has a key that may sign or commit, whatever else it may', async () => {
    const purpose = encode.extKeyUsage('timeStamping', true)
    const certifying = await entity({ name: 'leaf', issuedBy: m, extensions: [encode.KEY_USAGE_CA, purpose] })
    const input = { leaf: certifying.certificate, intermediates: [m.certificate], roots: [r.certificate], at: AT }
    expect(() => buildChain({ ...input, purpose: 'timeStamping', crypto: nodeCrypto })).toThrowCode(
      'X509_CHAIN_KEY_USAGE',
    )
  })
})
