import { describe, expect, it, jest } from '@jest/globals'
import { generateSigner, nodeCrypto, privateKeyToPkcs8 } from '@touchmark/crypto/node'
import { pemDecodeAll, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { generateKey, KEY_TYPES, keyTypeName, parsePrivateKey, sealPrivateKey } from './index.js'

// Keys are made here, and scrypt takes as long as it takes.
jest.setTimeout(120_000)

const MESSAGE = Uint8Array.of(1, 2, 3)
const given = (password: string) => () => Promise.resolve(utf8Encode(password))

describe('generateKey and sealPrivateKey', () => {
  it.each([...KEY_TYPES])('make a %s key that the file gives back', async (name, type) => {
    const signer = await generateKey(type)
    expect(keyTypeName(signer.publicKey.type)).toBe(name)
    const sealed = await sealPrivateKey(signer, utf8Encode('pass word'))
    const again = await parsePrivateKey(utf8Encode(sealed), given('pass word'))
    expect([again.publicKey, again.scheme]).toEqual([signer.publicKey, signer.scheme])
    expect(privateKeyToPkcs8(again)).toEqual(privateKeyToPkcs8(signer))
    expect(nodeCrypto.verify(signer.publicKey, signer.scheme, MESSAGE, await again.sign(MESSAGE))).toBe(true)
  })

  it('write as cosign does: label, lines of 64, compact JSON in its order, fresh salt and nonce', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const files = [await sealPrivateKey(signer, utf8Encode('a')), await sealPrivateKey(signer, utf8Encode('a'))]
    const [one, two] = files.map((file) => {
      expect(file).toMatch(
        /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n([\w+/=]{64}\n)*[\w+/=]{1,64}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n$/,
      )
      const json = utf8Decode(pemDecodeAll(file)[0]!.bytes)
      const shape =
        /^\{"kdf":\{"name":"scrypt","params":\{"N":65536,"r":8,"p":1\},"salt":"([\w+/]{43}=)"\},"cipher":\{"name":"nacl\/secretbox","nonce":"([\w+/]{32})"\},"ciphertext":"[\w+/=]+"\}$/
      expect(json).toMatch(shape)
      return shape.exec(json)!
    })
    expect([one![1], one![2]]).not.toEqual([two![1], two![2]])
    expect(one![1]).not.toBe(two![1])
  })

  it('take the empty password, and passwords of any bytes up to 4096', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    for (const password of [new Uint8Array(0), Uint8Array.of(0, 255, 10), new Uint8Array(4096).fill(7)]) {
      const file = utf8Encode(await sealPrivateKey(signer, password))
      const opened = await parsePrivateKey(file, () => Promise.resolve(Uint8Array.from(password)))
      expect(opened.publicKey).toEqual(signer.publicKey)
      const other = Uint8Array.of(...password.subarray(0, 100), 1)
      await expect(parsePrivateKey(file, () => Promise.resolve(other))).rejects.toThrowCode('KEYFILE_PASSWORD_WRONG')
    }
    const long = new Uint8Array(4097)
    await expect(sealPrivateKey(signer, long)).rejects.toThrowCode('KEYFILE_PASSWORD_TOO_LONG')
    const file = utf8Encode(await sealPrivateKey(signer, utf8Encode('a')))
    await expect(parsePrivateKey(file, () => Promise.resolve(long))).rejects.toThrowCode('KEYFILE_PASSWORD_TOO_LONG')
  })

  it('leave the password to the caller when they write', async () => {
    const password = utf8Encode('mine')
    await sealPrivateKey(generateSigner({ kind: 'ed25519' }), password)
    expect(utf8Decode(password)).toBe('mine')
  })

  it('pass on what asking for the password throws', async () => {
    const file = utf8Encode(await sealPrivateKey(generateSigner({ kind: 'ed25519' }), utf8Encode('a')))
    await expect(parsePrivateKey(file, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  })
})
