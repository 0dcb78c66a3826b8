import { describe, expect, it } from '@jest/globals'
import { pemEncode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { encodeSealedKey, parseSealedKey, type SealedKey } from './sealed-key.js'

const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'
const sealedKeys: fc.Arbitrary<SealedKey> = fc.record({
  cost: fc.constantFrom(32768 as const, 65536 as const, 131072 as const),
  salt: fc.uint8Array({ maxLength: 64 }),
  nonce: fc.uint8Array({ minLength: 24, maxLength: 24 }),
  ciphertext: fc.uint8Array({ minLength: 16, maxLength: 3000 }),
})
const good = {
  kdf: { name: 'scrypt', params: { N: 65536, r: 8, p: 1 }, salt: 'AAAA' },
  cipher: { name: 'nacl/secretbox', nonce: 'A'.repeat(32) },
  ciphertext: 'A'.repeat(64),
}
const asFile = (json: unknown): Uint8Array => utf8Encode(pemEncode(LABEL, utf8Encode(JSON.stringify(json))))
const withPart = (path: string, value: unknown): unknown => {
  const copy = structuredClone(good) as Record<string, unknown>
  const names = path.split('.')
  let at = copy
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>
  if (value === undefined) delete at[names.at(-1)!]
  else at[names.at(-1)!] = value
  return copy
}

describe('parseSealedKey', () => {
  it('reads what encodeSealedKey writes', () => {
    fc.assert(
      fc.property(sealedKeys, (sealed) => {
        expect(parseSealedKey(utf8Encode(encodeSealedKey(sealed)))).toEqual(sealed)
      }),
    )
  })

  it('answers any bytes with a coded error or a key that is written and read again', () => {
    const file = encodeSealedKey({
      cost: 65536,
      salt: new Uint8Array(32),
      nonce: new Uint8Array(24),
      ciphertext: new Uint8Array(154),
    })
    const changed = fc
      .array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = utf8Encode(file)
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      })
    const json = fc.jsonValue().map(asFile)
    const parts = fc
      .tuple(
        fc.constantFrom('kdf', 'kdf.name', 'kdf.params', 'kdf.params.N', 'kdf.salt', 'cipher.nonce', 'ciphertext'),
        fc.jsonValue(),
      )
      .map(([path, value]) => asFile(withPart(path, value)))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed, json, parts), (bytes) => {
        try {
          const sealed = parseSealedKey(bytes)
          expect(parseSealedKey(utf8Encode(encodeSealedKey(sealed)))).toEqual(sealed)
        } catch (error) {
          if (!isCodedError(error)) throw error
          expect(error.code).toMatch(/^KEYFILE_(INVALID|UNSUPPORTED)$/)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it.each<[string, unknown]>([
    ['kdf.params.N', 65535],
    ['kdf.params.N', 16384],
    ['kdf.params.N', 262144],
    ['kdf.params.N', 2 ** 30],
    ['kdf.params.N', '65536'],
    ['kdf.params.r', 16],
    ['kdf.params.r', '8'],
    ['kdf.params.p', 2],
    ['kdf.params.p', 1e9],
    ['kdf.name', 'argon2'],
    ['cipher.name', 'aes'],
  ])('refuses %s %j', (path, value) => {
    expect(() => parseSealedKey(asFile(withPart(path, value)))).toThrowCode('KEYFILE_UNSUPPORTED')
  })

  it.each<[string, unknown]>([
    ['kdf', undefined],
    ['kdf', []],
    ['kdf.params', null],
    ['kdf.params.N', undefined],
    ['kdf.salt', 7],
    ['kdf.salt', 'no base64'],
    ['cipher', undefined],
    ['cipher.nonce', 'A'.repeat(28)],
    ['cipher.nonce', 'A'.repeat(36)],
    ['ciphertext', undefined],
    ['ciphertext', 'A'.repeat(20)],
    ['kdf.name', undefined],
  ])('refuses a file whose %s is %j', (path, value) => {
    expect(() => parseSealedKey(asFile(withPart(path, value)))).toThrowCode('KEYFILE_INVALID')
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['text', 'hello'],
    ['two blocks', encodeSealedKey(parseSealedKey(asFile(good))).repeat(2)],
    ['no JSON', pemEncode(LABEL, utf8Encode('{'))],
    ['a member twice', pemEncode(LABEL, utf8Encode('{"kdf":{},"kdf":{}}'))],
    ['no end', encodeSealedKey(parseSealedKey(asFile(good))).slice(0, -10)],
    ['more than 64 KiB', `${' '.repeat(65 << 10)}\n${encodeSealedKey(parseSealedKey(asFile(good)))}`],
  ])('refuses %s', (_name, text) => {
    expect(() => parseSealedKey(utf8Encode(text))).toThrowCode('KEYFILE_INVALID')
  })

  it('takes text around the block, and the older label', () => {
    const text = pemEncode('ENCRYPTED COSIGN PRIVATE KEY', utf8Encode(JSON.stringify({ ...good, more: 1 })))
    expect(parseSealedKey(utf8Encode(`a note\r\n${text}\nand another`))).toMatchObject({ cost: 65536 })
  })
})
