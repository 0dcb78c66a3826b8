import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import { nodeCrypto, privateKeyToPkcs8 } from '@touchmark/crypto/node'
import { hexEncode, pemDecodeAll, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { closeBox } from './box.js'
import type { KeyfileErrorCode } from './errors.js'
import { encodePublicKeyFile, encodeSealedKey, parsePrivateKey, parsePublicKeyFile, parseSealedKey } from './index.js'

// scrypt takes as long as it takes.
jest.setTimeout(60_000)

interface Recorded {
  readonly password: string
  readonly cosignReadsIt: boolean
  readonly pkcs8?: string
  readonly publicKeyPem?: string
  readonly message?: string
}

const FOLDER = join('test', 'vectors', 'clients', 'keys')
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(join(FOLDER, name)))
const recorded = Object.entries(JSON.parse(utf8Decode(file('keys.json'))) as Record<string, Recorded>)
const read = recorded.filter(([, { cosignReadsIt }]) => cosignReadsIt)
const refused = recorded.filter(([, { cosignReadsIt }]) => !cosignReadsIt)
const given = (password: string) => () => Promise.resolve(utf8Encode(password))
const MESSAGE = Uint8Array.of(1, 2, 3)

describe('the key files of cosign', () => {
  it('are all here', () => {
    expect([read.length, refused.length]).toEqual([16, 9])
  })

  it.each(read)('%s is read, and signs', async (name, { password, pkcs8, publicKeyPem }) => {
    const signer = await parsePrivateKey(file(name), given(password))
    expect(hexEncode(privateKeyToPkcs8(signer))).toBe(pkcs8)
    if (publicKeyPem !== undefined) {
      expect(encodePublicKeyFile(signer.publicKey)).toBe(publicKeyPem)
      expect(parsePublicKeyFile(utf8Encode(publicKeyPem))).toEqual(signer.publicKey)
    }
    expect(nodeCrypto.verify(signer.publicKey, signer.scheme, MESSAGE, await signer.sign(MESSAGE))).toBe(true)
  })

  it('sign as their kind does in a bundle', async () => {
    const kinds = [
      'cosign.key',
      'imported-p384.key',
      'imported-p521.key',
      'imported-rsa2048.key',
      'imported-ed25519.key',
    ]
    const schemes = await Promise.all(
      kinds.map(async (name) => (await parsePrivateKey(file(name), given('secret'))).scheme),
    )
    expect(schemes).toEqual([
      { kind: 'ecdsa', hash: 'SHA2_256' },
      { kind: 'ecdsa', hash: 'SHA2_384' },
      { kind: 'ecdsa', hash: 'SHA2_512' },
      { kind: 'rsa-pkcs1', hash: 'SHA2_256' },
      { kind: 'ed25519ph' },
    ])
  })

  it.each(read.filter(([name]) => !name.startsWith('variant-')))('%s is written again byte by byte', (name) => {
    expect(encodeSealedKey(parseSealedKey(file(name)))).toBe(utf8Decode(file(name)))
  })

  const CODES: Record<string, KeyfileErrorCode> = {
    'variant-otherlabel.key': 'KEYFILE_INVALID',
    'variant-plain.key': 'KEYFILE_INVALID',
    'variant-sec1inside.key': 'KEYFILE_KEY_UNSUPPORTED',
  }
  it.each(refused)('%s is refused here as there', async (name, { password }) => {
    await expect(parsePrivateKey(file(name), given(password))).rejects.toThrowCode(CODES[name] ?? 'KEYFILE_UNSUPPORTED')
  })

  it('does not open for another password, nor with a bit of it changed', async () => {
    await expect(parsePrivateKey(file('cosign.key'), given('Secret'))).rejects.toThrowCode('KEYFILE_PASSWORD_WRONG')
    const sealed = parseSealedKey(file('cosign.key'))
    for (const part of ['salt', 'nonce', 'ciphertext'] as const) {
      const bytes = Uint8Array.from(sealed[part])
      bytes[bytes.length - 1]! ^= 1
      const changed = utf8Encode(encodeSealedKey({ ...sealed, [part]: bytes }))
      await expect(parsePrivateKey(changed, given('secret'))).rejects.toThrowCode('KEYFILE_PASSWORD_WRONG')
    }
  })

  it('asks for no password when the file cannot be opened anyway', async () => {
    const ask = jest.fn(given('secret'))
    for (const [name] of refused.filter(([one]) => one !== 'variant-sec1inside.key'))
      await expect(parsePrivateKey(file(name), ask)).rejects.toThrow()
    expect(ask).not.toHaveBeenCalled()
  })

  it('overwrites the password, whether it opens the file or not', async () => {
    for (const password of ['secret', 'other']) {
      const bytes = utf8Encode(password)
      await parsePrivateKey(file('cosign.key'), () => Promise.resolve(bytes)).catch(() => undefined)
      expect([...bytes].every((byte) => byte === 0)).toBe(true)
    }
  })

  it('refuses a weak key in a box', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const box = await closeBox(privateKey.export({ type: 'pkcs8', format: 'der' }), utf8Encode('x'))
    const sealed = utf8Encode(encodeSealedKey(box))
    await expect(parsePrivateKey(sealed, given('x'))).rejects.toThrowCode('KEYFILE_KEY_UNSUPPORTED')
  })

  it('is what a file says it is: a public key is not taken for a private one, nor the other way round', async () => {
    await expect(parsePrivateKey(file('cosign.pub'), given('secret'))).rejects.toThrowCode('KEYFILE_INVALID')
    expect(() => parsePublicKeyFile(file('cosign.key'))).toThrowCode('KEYFILE_PUBLIC_KEY_INVALID')
    expect(pemDecodeAll(utf8Decode(file('cosign.pub')))).toHaveLength(1)
  })
})
