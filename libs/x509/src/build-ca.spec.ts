import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as peculiar from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { equalBytes, hexEncode, pemEncode } from '@touchmark/encoding'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { buildIntermediateCertificate, buildRootCertificate, buildTsaLeaf } from './build-ca.js'
import { parseCertificate } from './certificate.js'
import { buildChain } from './chain.js'
import { nameToString, subjectNameOf } from './names.js'
import { verifyEmbeddedSct } from './sct.js'
import { P256 } from './testing/certificates.js'
import { GOLDEN_DATES, GOLDEN_TIME, goldenFamily, keys } from './testing/golden-family.js'
import type { GoldenFamily } from './testing/golden-family.js'

const GOLDEN = new URL('../../../test/vectors/x509/', import.meta.url)
const NAMES = [
  'root',
  'intermediate',
  'tsa-root',
  'tsa-leaf',
  'leaf-email',
  'leaf-ci',
  'leaf-username',
  'precertificate',
] as const
const LEAVES = ['leaf-email', 'leaf-ci', 'leaf-username'] as const
// To accept a change of the profile: WRITE_GOLDEN=1, then read the difference.
const write = process.env['WRITE_GOLDEN'] === '1'

let family: GoldenFamily
let folder: string
beforeAll(async () => {
  family = await goldenFamily()
  folder = mkdtempSync(join(tmpdir(), 'touchmark-x509-'))
  for (const name of NAMES) writeFileSync(file(name), pem(name))
})
afterAll(() => rmSync(folder, { recursive: true }))

const pem = (name: keyof GoldenFamily): string => pemEncode('CERTIFICATE', family[name].der)
const file = (name: keyof GoldenFamily): string => join(folder, `${name}.pem`)

function golden(name: string, found: string): void {
  const path = new URL(name, GOLDEN)
  if (write) {
    mkdirSync(GOLDEN, { recursive: true })
    writeFileSync(path, found)
  }
  expect(existsSync(path)).toBe(true)
  expect(found).toBe(readFileSync(path, 'utf8'))
}

describe('certificates with fixed keys, serials and times', () => {
  it.each(NAMES)('%s is the golden one, byte for byte', (name) => golden(`${name}.pem`, pem(name)))

  it('have chains that hold for their purpose', () => {
    const { root, intermediate } = family
    const parts = { roots: [root], intermediates: [intermediate], at: GOLDEN_TIME, crypto: nodeCrypto }
    for (const name of LEAVES)
      expect(buildChain({ ...parts, leaf: family[name], purpose: 'codeSigning' })).toEqual([
        family[name],
        intermediate,
        root,
      ])
    const tsa = { ...parts, leaf: family['tsa-leaf'], roots: [family['tsa-root']] }
    expect(buildChain({ ...tsa, purpose: 'timeStamping' })).toHaveLength(2)
    expect(() => buildChain({ ...parts, leaf: family.precertificate, purpose: 'codeSigning' })).toThrowCode(
      'X509_CHAIN_CRITICAL_EXTENSION',
    )
  })
  it('have SCTs that hold', () => {
    const logKey = keys.log.publicKey
    for (const name of LEAVES)
      verifyEmbeddedSct({ leaf: family[name], issuer: family.intermediate, logKey, crypto: nodeCrypto })
  })
  it('name organization and common name, in this order', () => {
    expect(nameToString(family.intermediate.issuer)).toBe('O=example.org, CN=touchmark-root')
    expect(subjectNameOf(family['tsa-leaf'].subject)).toEqual({
      organization: 'example.org',
      commonName: 'touchmark-tsa',
    })
  })
})

describe('the profile of CA certificates (ca.md §9, tsa.md §4)', () => {
  it('root: CA, certSign and cRLSign, SKI; no purpose, no AKI', () => {
    for (const one of [family.root, family['tsa-root']]) {
      expect([...one.extensions.values()].map(({ oid, critical }) => [oid, critical])).toEqual([
        ['2.5.29.19', true],
        ['2.5.29.15', true],
        ['2.5.29.14', false],
      ])
      expect(one.isSelfIssued).toBe(true)
      expect(one.basicConstraints).toEqual({ ca: true })
      expect(hexEncode(one.keyUsage!.bits)).toBe('06')
    }
  })
  it('intermediate: path length 0, codeSigning, AKI = SKI of the root', () => {
    const one = family.intermediate
    expect([...one.extensions.values()].map(({ oid, critical }) => [oid, critical])).toEqual([
      ['2.5.29.19', true],
      ['2.5.29.15', true],
      ['2.5.29.37', false],
      ['2.5.29.14', false],
      ['2.5.29.35', false],
    ])
    expect(one.basicConstraints).toEqual({ ca: true, pathLength: 0 })
    expect(one.extKeyUsage).toEqual(['1.3.6.1.5.5.7.3.3'])
    expect(equalBytes(one.aki!, family.root.ski!)).toBe(true)
  })
  it('TSA leaf: end entity, digitalSignature, one critical purpose', () => {
    const one = family['tsa-leaf']
    expect(one.basicConstraints).toBeUndefined()
    expect(hexEncode(one.extensions.get('2.5.29.15')!.value)).toBe('03020780')
    expect(one.extensions.get('2.5.29.37')).toMatchObject({ critical: true })
    expect(hexEncode(one.extensions.get('2.5.29.37')!.value)).toBe('300a06082b06010505070308')
    expect(equalBytes(one.aki!, family['tsa-root'].ski!)).toBe(true)
  })
  it('a root with a path length', async () => {
    const subject = { organization: 'o', commonName: 'c' }
    const profile = { subject, ...GOLDEN_DATES, signer: keys.root, random: (n: number) => new Uint8Array(n).fill(9) }
    const der = await buildRootCertificate({ ...profile, pathLength: 1 })
    expect(parseCertificate(der).basicConstraints).toEqual({ ca: true, pathLength: 1 })
  })
})

describe('a CA certificate is not made', () => {
  const random = (n: number): Uint8Array => new Uint8Array(n).fill(9)
  const subject = { organization: 'o', commonName: 'c' }
  const key = generateSigner(P256).publicKey
  const below = () => ({ subject, ...GOLDEN_DATES, signer: keys.root, random, key, issuer: family.root })

  it('below something that is no CA', async () => {
    const { notBefore, notAfter } = family['leaf-email']
    const profile = { ...below(), issuer: family['leaf-email'], signer: keys.leaf, notBefore, notAfter }
    await expect(buildTsaLeaf(profile)).rejects.toThrowCode('X509_PROFILE_INVALID')
  })
  it("by another key than the issuer's", async () => {
    await expect(buildTsaLeaf({ ...below(), signer: keys.tsa })).rejects.toThrowCode('X509_PROFILE_INVALID')
  })
  it('that outlives its issuer, begins before it, or ends before it begins', async () => {
    const early = new Date(GOLDEN_DATES.notBefore.getTime() - 1000)
    const late = new Date(GOLDEN_DATES.notAfter.getTime() + 1000)
    for (const dates of [{ notAfter: late }, { notBefore: early }, { notAfter: GOLDEN_DATES.notBefore }])
      await expect(buildIntermediateCertificate({ ...below(), ...dates, purpose: 'codeSigning' })).rejects.toThrowCode(
        'X509_PROFILE_INVALID',
      )
  })
  it('without organization or common name, or with one over 64 characters', async () => {
    for (const bad of [
      { organization: '' },
      { commonName: '' },
      { commonName: 'x'.repeat(65) },
      { organization: '\ud800' },
    ])
      await expect(buildTsaLeaf({ ...below(), subject: { ...subject, ...bad } })).rejects.toThrowCode(
        'X509_NAME_INVALID',
      )
  })
  it('with a signer that no certificate can name', async () => {
    const signer = { ...keys.root, scheme: { kind: 'ed25519ph' } as const }
    await expect(buildRootCertificate({ subject, ...GOLDEN_DATES, signer, random })).rejects.toThrowCode(
      'X509_ALGORITHM_UNSUPPORTED',
    )
  })
})

describe('@peculiar/x509 reads what is made here', () => {
  peculiar.cryptoProvider.set(globalThis.crypto)

  it.each(NAMES)('%s', async (name) => {
    const ours = family[name]
    const theirs = new peculiar.X509Certificate(ours.der)
    expect(theirs.serialNumber).toBe(ours.serialHex)
    expect(theirs.notBefore).toEqual(ours.notBefore)
    expect(theirs.notAfter).toEqual(ours.notAfter)
    expect(hexEncode(new Uint8Array(theirs.publicKey.rawData))).toBe(hexEncode(ours.spki))
    expect(theirs.extensions.map((one) => [one.type, one.critical, hexEncode(new Uint8Array(one.value))])).toEqual(
      [...ours.extensions.values()].map((one) => [one.oid, one.critical, hexEncode(one.value)]),
    )
    expect(theirs.subject).toBe(hexEncode(ours.subject) === '3000' ? '' : nameToString(ours.subject))
    const issuer =
      name === 'root' || name === 'intermediate' ? 'root' : name.startsWith('tsa') ? 'tsa-root' : 'intermediate'
    const issuerKey = new peculiar.X509Certificate(family[issuer].der).publicKey
    expect(await theirs.verify({ publicKey: issuerKey, signatureOnly: true })).toBe(true)
  })
  it('and agrees about names, usages and key identifiers', () => {
    const leaf = new peculiar.X509Certificate(family['leaf-email'].der)
    const names = leaf.getExtension(peculiar.SubjectAlternativeNameExtension)!
    expect(names.names.toJSON()).toEqual([{ type: 'email', value: 'dev@example.com' }])
    expect(leaf.getExtension(peculiar.KeyUsagesExtension)!.usages).toBe(peculiar.KeyUsageFlags.digitalSignature)
    expect(leaf.getExtension(peculiar.ExtendedKeyUsageExtension)!.usages).toEqual([
      peculiar.ExtendedKeyUsage.codeSigning,
    ])
    expect(leaf.getExtension(peculiar.AuthorityKeyIdentifierExtension)!.keyId).toBe(hexEncode(family.intermediate.ski!))
    const ca = new peculiar.X509Certificate(family.intermediate.der).getExtension(peculiar.BasicConstraintsExtension)!
    expect([ca.ca, ca.pathLength]).toEqual([true, 0])
  })
})

const version = spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? ''
if (version === '') console.warn('openssl is not installed: its view of our certificates is not tested')
else if (!version.startsWith('OpenSSL 3.0.')) console.warn(`${version.trim()}: golden texts are those of OpenSSL 3.0`)

const openssl = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('openssl', args, { encoding: 'utf8' })

;(version === '' ? describe.skip : describe)('OpenSSL', () => {
  const at = (time: Date): string[] => ['-attime', String(time.getTime() / 1000)]
  const verify = (name: keyof GoldenFamily, root: keyof GoldenFamily, ...more: string[]) =>
    openssl('verify', '-x509_strict', '-CAfile', file(root), ...more, file(name))

  it.each(LEAVES)('verifies %s', (name) => {
    const result = verify(name, 'root', '-untrusted', file('intermediate'), ...at(GOLDEN_TIME))
    expect(result.stdout + result.stderr).toBe(`${file(name)}: OK\n`)
  })
  it('verifies the TSA leaf for timestamps', () => {
    const result = verify('tsa-leaf', 'tsa-root', '-purpose', 'timestampsign', ...at(GOLDEN_TIME))
    expect(result.stdout).toBe(`${file('tsa-leaf')}: OK\n`)
  })
  it('refuses a leaf after its ten minutes, below another root, and a precertificate', () => {
    const chain = ['-untrusted', file('intermediate')]
    const late = new Date(GOLDEN_TIME.getTime() + 601_000)
    expect(verify('leaf-email', 'root', ...chain, ...at(late)).stderr).toContain('certificate has expired')
    expect(verify('leaf-email', 'tsa-root', ...chain, ...at(GOLDEN_TIME)).status).not.toBe(0)
    expect(verify('precertificate', 'root', ...chain, ...at(GOLDEN_TIME)).stderr).toContain(
      'unhandled critical extension',
    )
  })
  ;(version.startsWith('OpenSSL 3.0.') ? it : it.skip).each(NAMES)('prints the golden text of %s', (name) => {
    const { stdout } = openssl('x509', '-in', file(name), '-noout', '-text')
    golden(`${name}.txt`, stdout)
  })
})
