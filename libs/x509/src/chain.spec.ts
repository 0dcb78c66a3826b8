import { beforeAll, describe, expect, it } from '@jest/globals'
import { derOid, derSequence, hexDecode } from '@touchmark/encoding'
import type { CryptoPort } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { parseCertificate } from './certificate.js'
import { buildChain } from './chain.js'
import type { ChainInput } from './chain.js'
import * as encode from './encode.js'
import { EXTENSION_OID, PURPOSE_OID } from './oids.js'
import { commonName, dates, entity, P256, plainFields, rawTbs } from './testing/certificates.js'
import type { Entity, EntityOptions } from './testing/certificates.js'
import { recordedCertificates } from './testing/fulcio-vectors.js'

const AT = new Date('2026-06-01T00:00:00Z')
const CA = [encode.caConstraints(undefined), encode.KEY_USAGE_CA]
const LEAF = [encode.KEY_USAGE_SIGNATURE, encode.extKeyUsage('codeSigning', false)]

const root = (options: Partial<EntityOptions> = {}): Promise<Entity> =>
  entity({ name: 'root', extensions: CA, ...options })
const middle = (issuedBy: Entity, options: Partial<EntityOptions> = {}): Promise<Entity> =>
  entity({ name: 'middle', extensions: CA, issuedBy, ...options })
const leafOf = (issuedBy: Entity, options: Partial<EntityOptions> = {}): Promise<Entity> =>
  entity({ name: 'leaf', extensions: LEAF, issuedBy, ...options })

/** A path from entities, leaf first, root last. */
function build(path: readonly Entity[], changes: Partial<ChainInput> = {}): string[] {
  const [leaf, ...issuers] = path.map(({ certificate }) => certificate)
  const input = { leaf: leaf!, intermediates: issuers.slice(0, -1), roots: issuers.slice(-1), at: AT }
  const found = buildChain({ ...input, purpose: 'codeSigning', crypto: nodeCrypto, ...changes })
  return found.map((certificate) => certificate.serialHex)
}

let r: Entity
let m: Entity
let l: Entity
beforeAll(async () => {
  r = await root()
  m = await middle(r)
  l = await leafOf(m)
})

describe('recorded chains', () => {
  it.each(recordedCertificates())('$name', ({ leaf, chain, time }) => {
    const input = { leaf, intermediates: chain.slice(0, -1), roots: chain.slice(-1), at: new Date(time) }
    expect(buildChain({ ...input, purpose: 'codeSigning', crypto: nodeCrypto })).toEqual([leaf, ...chain])
  })
})

describe('a path', () => {
  it('goes from leaf over intermediates to the root', () => expect(build([l, m, r])).toHaveLength(3))
  it('may be without intermediates', async () => expect(build([await leafOf(r), r])).toHaveLength(2))
  it('ends at an anchor that is not self-signed', () => expect(build([l, m])).toHaveLength(2))
  it('is found among certificates of the same name', async () => {
    const other = await middle(r)
    const roots = [(await root()).certificate, r.certificate]
    expect(build([l, r], { intermediates: [other.certificate, m.certificate], roots })).toHaveLength(3)
  })
  it('tries the certificate that the key identifier names first', async () => {
    const key = generateSigner(P256)
    const id = encode.keyIdentifier(key.publicKey)
    const named = await middle(r, { signer: key, extensions: [...CA, encode.subjectKeyId(id)] })
    const others = await Promise.all(Array.from({ length: 62 }, () => middle(r)))
    const leaf = await leafOf(named, { extensions: [...LEAF, encode.authorityKeyId(id)] })
    const intermediates = [...others, named].map(({ certificate }) => certificate)
    expect(build([leaf, r], { intermediates })).toHaveLength(3)
  })
  it('is found although the key identifier names another', async () => {
    const wrong = encode.authorityKeyId(Uint8Array.of(1, 2, 3))
    expect(build([await leafOf(m, { extensions: [...LEAF, wrong] }), m, r])).toHaveLength(3)
  })
})

describe('issuer', () => {
  it('unknown', () => expect(() => build([l, m, r], { intermediates: [] })).toThrowCode('X509_CHAIN_UNKNOWN_ISSUER'))
  it('of the intermediate unknown', () => {
    expect(() => build([l, m, r], { roots: [] })).toThrowCode('X509_CHAIN_UNKNOWN_ISSUER')
  })
  it('has the name and another key', async () => {
    const other = await middle(r)
    expect(() => build([l, other, r])).toThrowCode('X509_CHAIN_SIGNATURE')
  })
  it('name must be equal in bytes', async () => {
    const leaf = await leafOf(m, { issuer: commonName('Middle') })
    expect(() => build([leaf, m, r])).toThrowCode('X509_CHAIN_UNKNOWN_ISSUER')
  })
  it('of another root with the same name', async () => {
    const other = await root()
    expect(() => build([l, m, r], { roots: [other.certificate] })).toThrowCode('X509_CHAIN_SIGNATURE')
  })
  it('cannot be itself', async () => {
    const self = await entity({ name: 'self', extensions: LEAF })
    expect(() => build([self, r])).toThrowCode('X509_CHAIN_UNKNOWN_ISSUER')
  })
  it('with a key that is none', async () => {
    const bad = await middle(r, { spki: derSequence() })
    expect(() => build([l, bad, r])).toThrowCode('X509_CHAIN_ALGORITHM')
  })
  it.each([
    ['is not taken', '300906072a8648ce3d0401'],
    ['is not of its key', '300d06092a864886f70d01010b0500'],
  ])('signed with an algorithm that %s', async (_, hex) => {
    const algorithm = hexDecode(hex)
    const fields = { issuer: m.certificate.subject, extensions: LEAF, algorithm }
    const tbs = rawTbs(plainFields(generateSigner(P256), fields))
    const leaf = parseCertificate(encode.assembleCertificate(tbs, algorithm, await m.signer.sign(tbs)))
    expect(() => build([l, m, r], { leaf })).toThrowCode('X509_CHAIN_ALGORITHM')
  })
})

describe('time', () => {
  const from = '2026-05-01T00:00:00Z'
  const to = '2026-07-01T00:00:00Z'
  const validity = dates(from, to)
  const paths: [string, () => Promise<Entity[]>][] = [
    ['leaf', async () => [await leafOf(m, { validity }), m, r]],
    [
      'intermediate',
      async () => {
        const ca = await middle(r, { validity })
        return [await leafOf(ca), ca, r]
      },
    ],
    [
      'root',
      async () => {
        const top = await root({ validity })
        const ca = await middle(top)
        return [await leafOf(ca), ca, top]
      },
    ],
  ]
  it.each(paths)('the %s must be valid then: both ends count, a millisecond beyond does not', async (_, make) => {
    const path = await make()
    const at = (time: string, ms = 0): Partial<ChainInput> => ({ at: new Date(new Date(time).getTime() + ms) })
    expect(build(path, at(from))).toHaveLength(3)
    expect(build(path, at(to))).toHaveLength(3)
    expect(() => build(path, at(from, -1))).toThrowCode('X509_CHAIN_NOT_YET_VALID')
    expect(() => build(path, at(to, 1))).toThrowCode('X509_CHAIN_EXPIRED')
  })
  it('that is none is refused', () => {
    expect(() => build([l, m, r], { at: new Date(Number.NaN) })).toThrowCode('X509_CHAIN_NOT_YET_VALID')
  })
})

describe('a CA', () => {
  const withCa = async (extensions: Uint8Array[], options: Partial<EntityOptions> = {}): Promise<Entity[]> => {
    const ca = await middle(r, { extensions, ...options })
    return [await leafOf(ca), ca, r]
  }
  it('without basicConstraints', async () => {
    const path = await withCa([encode.KEY_USAGE_CA])
    expect(() => build(path)).toThrowCode('X509_CHAIN_NOT_CA')
  })
  it('with CA:FALSE', async () => {
    const path = await withCa([encode.extension(EXTENSION_OID.basicConstraints, true, derSequence())])
    expect(() => build(path)).toThrowCode('X509_CHAIN_NOT_CA')
  })
  it('of version 1, also as anchor', async () => {
    const top = await root({ version: new Uint8Array(), extensions: undefined })
    const leaf = await leafOf(top)
    expect(() => build([leaf, top])).toThrowCode('X509_CHAIN_NOT_CA')
  })
  it('that may not sign certificates', async () => {
    const path = await withCa([encode.caConstraints(undefined), encode.KEY_USAGE_SIGNATURE])
    expect(() => build(path)).toThrowCode('X509_CHAIN_KEY_USAGE')
  })
  it('without keyUsage may', async () => expect(build(await withCa([encode.caConstraints(undefined)]))).toHaveLength(3))
  it('for another purpose, root too', async () => {
    const path = await withCa([...CA, encode.extKeyUsage('timeStamping', false)])
    expect(() => build(path)).toThrowCode('X509_CHAIN_PURPOSE')
    const top = await root({ extensions: [...CA, encode.extKeyUsage('timeStamping', false)] })
    const leaf = await leafOf(top)
    expect(() => build([leaf, top])).toThrowCode('X509_CHAIN_PURPOSE')
  })
  it('for any purpose may', async () => {
    const any = encode.extension(EXTENSION_OID.extKeyUsage, false, derSequence(derOid(PURPOSE_OID.any)))
    expect(build(await withCa([...CA, any]))).toHaveLength(3)
  })
  it('with a critical extension that is not understood', async () => {
    const path = await withCa([...CA, encode.extension('1.2.3.4', true, Uint8Array.of(0))])
    expect(() => build(path)).toThrowCode('X509_CHAIN_CRITICAL_EXTENSION')
  })
  it('with name constraints, critical or not', async () => {
    for (const critical of [true, false]) {
      const path = await withCa([...CA, encode.extension(EXTENSION_OID.nameConstraints, critical, derSequence())])
      expect(() => build(path)).toThrowCode('X509_CHAIN_CRITICAL_EXTENSION')
    }
  })
})

describe('path length', () => {
  it('counts the CAs below', async () => {
    const top = await root({ extensions: [encode.caConstraints(0), encode.KEY_USAGE_CA] })
    expect(build([await leafOf(top), top])).toHaveLength(2)
    const ca = await middle(top)
    const leaf = await leafOf(ca)
    expect(() => build([leaf, ca, top])).toThrowCode('X509_CHAIN_PATH_LENGTH')
  })
  it('does not count self-issued ones', async () => {
    const top = await root({ extensions: [encode.caConstraints(0), encode.KEY_USAGE_CA] })
    const renewed = await entity({ name: 'root', extensions: CA, issuedBy: top })
    expect(build([await leafOf(renewed), renewed, top])).toHaveLength(3)
  })
})

describe('the leaf', () => {
  const refusedWith = async (
    extensions: Uint8Array[],
    code: string,
    changes: Partial<ChainInput> = {},
  ): Promise<void> => {
    const leaf = await leafOf(m, { extensions })
    expect(() => build([leaf, m, r], changes)).toThrowCode(code)
  }
  it('is no CA', () => refusedWith([...LEAF, encode.caConstraints(undefined)], 'X509_CHAIN_LEAF_IS_CA'))
  it('may make signatures', () =>
    refusedWith([encode.KEY_USAGE_CA, encode.extKeyUsage('codeSigning', false)], 'X509_CHAIN_KEY_USAGE'))
  it('has a purpose', () => refusedWith([encode.KEY_USAGE_SIGNATURE], 'X509_CHAIN_PURPOSE'))
  it('has this purpose, "any" is not enough', async () => {
    const any = encode.extension(EXTENSION_OID.extKeyUsage, false, derSequence(derOid(PURPOSE_OID.any)))
    await refusedWith([encode.KEY_USAGE_SIGNATURE, any], 'X509_CHAIN_PURPOSE')
    await refusedWith([encode.KEY_USAGE_SIGNATURE, encode.extKeyUsage('timeStamping', true)], 'X509_CHAIN_PURPOSE')
  })
  it('is no precertificate', () => refusedWith([...LEAF, encode.POISON], 'X509_CHAIN_CRITICAL_EXTENSION'))
})

describe('for timestamps', () => {
  const purpose = { purpose: 'timeStamping' } as const
  const make = (extensions: Uint8Array[]): Promise<Entity> => leafOf(m, { extensions })
  it('takes a critical, single purpose', async () => {
    const leaf = await make([encode.KEY_USAGE_SIGNATURE, encode.extKeyUsage('timeStamping', true)])
    expect(build([leaf, m, r], purpose)).toHaveLength(3)
    expect(() => build([leaf, m, r])).toThrowCode('X509_CHAIN_PURPOSE')
  })
  it('takes contentCommitment', async () => {
    const usage = encode.extension(EXTENSION_OID.keyUsage, true, Uint8Array.of(3, 2, 6, 0x40))
    const leaf = await make([usage, encode.extKeyUsage('timeStamping', true)])
    expect(build([leaf, m, r], purpose)).toHaveLength(3)
    const signing = await make([usage, encode.extKeyUsage('codeSigning', true)])
    expect(() => build([signing, m, r])).toThrowCode('X509_CHAIN_KEY_USAGE')
  })
  it('refuses a purpose that is not critical, and a second one', async () => {
    const plain = await make([encode.extKeyUsage('timeStamping', false)])
    const both = derSequence(derOid(PURPOSE_OID.timeStamping), derOid(PURPOSE_OID.codeSigning))
    const two = await make([encode.extension(EXTENSION_OID.extKeyUsage, true, both)])
    expect(() => build([plain, m, r], purpose)).toThrowCode('X509_CHAIN_PURPOSE')
    expect(() => build([two, m, r], purpose)).toThrowCode('X509_CHAIN_PURPOSE')
  })
})

describe('work is bounded', () => {
  function counting(): CryptoPort & { count: number } {
    const port = {
      ...nodeCrypto,
      count: 0,
      verify: (...args: Parameters<CryptoPort['verify']>) => (port.count++, nodeCrypto.verify(...args)),
    }
    return port
  }
  it('on a net of CAs that all signed each other', async () => {
    const signer = generateSigner(P256)
    const make = (): Promise<Entity> => entity({ name: 'net', extensions: CA, signer })
    const net = await Promise.all(Array.from({ length: 60 }, make))
    const leaf = await leafOf(net[0]!)
    const input = { intermediates: net.map(({ certificate }) => certificate), roots: [] }
    for (const port of [counting(), counting()]) {
      expect(() => build([leaf, m], { ...input, crypto: port })).toThrowCode('X509_CHAIN_TOO_MUCH_WORK')
      expect(() => build([leaf, m], { ...input, crypto: port })).toThrowCode('X509_CHAIN_TOO_MUCH_WORK')
      expect(port.count).toBeLessThanOrEqual(2 * 64)
    }
  })
  it('on a long path', async () => {
    const path = [await root()]
    for (let i = 0; i < 7; i++) path.unshift(await entity({ name: `ca${i}`, extensions: CA, issuedBy: path[0]! }))
    const leaf = await leafOf(path[0]!)
    expect(build([await leafOf(path[1]!), ...path.slice(1)])).toHaveLength(8)
    expect(() => build([leaf, ...path])).toThrowCode('X509_CHAIN_TOO_MUCH_WORK')
  })
  it('on too many candidates', () => {
    const intermediates = Array.from({ length: 64 }, () => m.certificate)
    expect(() => build([l, m, r], { intermediates })).toThrowCode('X509_CHAIN_TOO_MUCH_WORK')
  })
  it('and a link is verified once by a port, for each certificate that was read', () => {
    const port = counting()
    build([l, m, r], { crypto: port })
    expect(port.count).toBe(2)
    build([l, m, r], { crypto: port })
    expect(port.count).toBe(2)
    const again = { ...l, certificate: parseCertificate(l.certificate.der) }
    build([again, m, r], { crypto: port })
    expect(port.count).toBe(3)
    const other = counting()
    build([l, m, r], { crypto: other })
    expect(other.count).toBe(2)
  })
})
