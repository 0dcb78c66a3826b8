import { generateKeyPairSync, createPrivateKey, type KeyObject } from 'node:crypto'
import { describe, expect, it, jest } from '@jest/globals'
import { derBitString, derExplicit, pemEncode, utf8Encode } from '@touchmark/encoding'
import { privateKeyToPkcs8 } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { importPrivateKey } from './import-key.js'

jest.setTimeout(120_000)

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const rsa = (modulusLength: number, publicExponent = 65537): KeyObject =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey
const pem = (key: KeyObject, type: 'pkcs1' | 'sec1' | 'pkcs8', more: object = {}): string =>
  key.export({ type, format: 'pem', ...more } as { type: 'pkcs8'; format: 'pem' }) as string
const bytes = (text: string): Uint8Array => utf8Encode(text)

describe('importPrivateKey', () => {
  it.each<[string, () => KeyObject, readonly ('pkcs1' | 'sec1' | 'pkcs8')[]]>([
    ['P-256', () => ec('P-256'), ['sec1', 'pkcs8']],
    ['P-384', () => ec('P-384'), ['sec1', 'pkcs8']],
    ['P-521', () => ec('P-521'), ['sec1', 'pkcs8']],
    ['RSA 2048', () => rsa(2048), ['pkcs1', 'pkcs8']],
    ['RSA 3072', () => rsa(3072), ['pkcs1', 'pkcs8']],
    ['RSA 4096', () => rsa(4096), ['pkcs1', 'pkcs8']],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey, ['pkcs8']],
  ])('takes %s in every form that cosign takes', async (_name, make, forms) => {
    const key = make()
    const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
    for (const form of forms) {
      const signer = await importPrivateKey(bytes(pem(key, form)))
      expect(privateKeyToPkcs8(signer)).toEqual(pkcs8)
    }
  })

  it.each<[string, () => string]>([
    ['RSA 1024', () => pem(rsa(1024), 'pkcs1')],
    ['RSA 2048 with exponent 3', () => pem(rsa(2048, 3), 'pkcs8')],
    ['P-224', () => pem(ec('secp224r1'), 'pkcs8')],
    ['secp256k1', () => pem(ec('secp256k1'), 'sec1')],
    ['RSA-PSS', () => pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, 'pkcs8')],
    ['Ed448', () => pem(generateKeyPairSync('ed448').privateKey, 'pkcs8')],
    ['X25519', () => pem(generateKeyPairSync('x25519').privateKey, 'pkcs8')],
    [
      'explicit curve parameters',
      () => pem(generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).privateKey, 'pkcs8'),
    ],
  ])('refuses %s', async (_name, make) => {
    await expect(importPrivateKey(bytes(make()))).rejects.toThrowCode('KEYFILE_KEY_UNSUPPORTED')
  })

  it('refuses a key whose public half is another key’s', async () => {
    const [one, other] = [ec('P-256'), ec('P-256')].map((key) => key.export({ format: 'jwk' }))
    const mixed = pem(createPrivateKey({ key: one!, format: 'jwk' }), 'sec1')
    const der = Buffer.from(mixed.split('\n').slice(1, -2).join(''), 'base64')
    const point = Buffer.concat([
      Buffer.of(4),
      Buffer.from(other!.x!, 'base64url'),
      Buffer.from(other!.y!, 'base64url'),
    ])
    const tail = derExplicit(1, derBitString(point))
    const changed = Buffer.concat([der.subarray(0, der.length - tail.length), tail])
    await expect(importPrivateKey(bytes(pemEncode('EC PRIVATE KEY', changed)))).rejects.toThrowCode(
      'KEYFILE_KEY_UNSUPPORTED',
    )
  })

  it.each<[string, () => string]>([
    ['PKCS#8', () => pem(ec('P-256'), 'pkcs8', { cipher: 'aes-256-cbc', passphrase: 'x' })],
    ['PKCS#1', () => pem(rsa(2048), 'pkcs1', { cipher: 'aes-256-cbc', passphrase: 'x' })],
  ])('says that an encrypted %s must be decrypted first', async (_name, make) => {
    await expect(importPrivateKey(bytes(make()))).rejects.toThrowCode('KEYFILE_IMPORT_ENCRYPTED')
  })

  it.each<[string, () => string]>([
    ['nothing', () => ''],
    ['a public key', () => pemEncode('PUBLIC KEY', new Uint8Array(10))],
    ['a key file of ours', () => pemEncode('ENCRYPTED SIGSTORE PRIVATE KEY', new Uint8Array(10))],
    ['parameters before the key', () => `${pemEncode('EC PARAMETERS', new Uint8Array(10))}${pem(ec('P-256'), 'sec1')}`],
    ['SEC1 under the label of PKCS#1', () => pem(ec('P-256'), 'sec1').replaceAll('EC PRIVATE', 'RSA PRIVATE')],
    ['a broken block', () => pem(ec('P-256'), 'sec1').slice(0, 60)],
    ['a cut key', () => pemEncode('PRIVATE KEY', ec('P-256').export({ type: 'pkcs8', format: 'der' }).subarray(0, 60))],
    ['more than 64 KiB', () => `${' '.repeat(65 << 10)}\n${pem(ec('P-256'), 'sec1')}`],
  ])('refuses %s', async (_name, make) => {
    await expect(importPrivateKey(bytes(make()))).rejects.toThrowCode('KEYFILE_IMPORT_INVALID')
  })

  it('answers any bytes with a coded error or a signer', async () => {
    const key = bytes(pem(ec('P-256'), 'pkcs8'))
    const der = ec('P-256').export({ type: 'sec1', format: 'der' })
    const inText = fc.tuple(fc.nat(key.length - 1), fc.nat(255)).map(([at, value]) => {
      const changed = Uint8Array.from(key)
      changed[at] = value
      return changed
    })
    const inDer = fc.tuple(fc.nat(der.length - 1), fc.nat(255)).map(([at, value]) => {
      const changed = Uint8Array.from(der)
      changed[at] = value
      return bytes(pemEncode('EC PRIVATE KEY', changed))
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), inText, inDer), async (input) => {
        try {
          expect((await importPrivateKey(input)).publicKey.spki.length).toBeGreaterThan(0)
        } catch (error) {
          if (!isCodedError(error)) throw error
          expect(error.code).toMatch(/^KEYFILE_/)
        }
      }),
      { numRuns: 300 },
    )
  })
})
