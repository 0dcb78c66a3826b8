import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { parsePublicKeyDer } from '@touchmark/crypto'
import { utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { encodePublicKeyFile, parsePublicKeyFile } from './public-key-file.js'

const pemOf = (publicKey: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }): string =>
  publicKey.export({ type: 'spki', format: 'pem' }) as string
const P256 = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)

describe('parsePublicKeyFile', () => {
  it('reads what encodePublicKeyFile and OpenSSL write, for each kind of key', () => {
    for (const pem of [
      P256,
      pemOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey),
      pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
      pemOf(generateKeyPairSync('ed25519').publicKey),
    ]) {
      const key = parsePublicKeyFile(utf8Encode(pem))
      expect(encodePublicKeyFile(key)).toBe(pem)
      expect(parsePublicKeyDer(key.spki)).toEqual(key)
    }
  })

  it.each<[string, () => string]>([
    ['nothing', () => ''],
    ['two keys', () => P256 + P256],
    ['a certificate', () => P256.replaceAll('PUBLIC KEY', 'CERTIFICATE')],
    ['a private key', () => P256.replaceAll('PUBLIC KEY', 'PRIVATE KEY')],
    ['a broken block', () => P256.slice(0, 80)],
    ['a damaged key', () => P256.replace('MFkw', 'MFkx')],
    ['RSA of 1024 bits', () => pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['secp256k1', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['more than 64 KiB', () => `${' '.repeat(65 << 10)}\n${P256}`],
  ])('refuses %s', (_name, make) => {
    expect(() => parsePublicKeyFile(utf8Encode(make()))).toThrowCode('KEYFILE_PUBLIC_KEY_INVALID')
  })

  it('answers any bytes with its code, or a key that is written and read again', () => {
    const changed = fc.tuple(fc.nat(P256.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = utf8Encode(P256)
      bytes[at] = value
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), (bytes) => {
        try {
          const key = parsePublicKeyFile(bytes)
          expect(parsePublicKeyFile(utf8Encode(encodePublicKeyFile(key)))).toEqual(key)
        } catch (error) {
          if (!isCodedError(error)) throw error
          expect(error.code).toBe('KEYFILE_PUBLIC_KEY_INVALID')
        }
      }),
      { numRuns: 1000 },
    )
  })
})
