import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { KeyType } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { openKeyStore } from './key-store.js'
import type { KeyStore } from './key-store.js'

// scrypt is slow by intent, and slower on a busy machine.
jest.setTimeout(60_000)

const PASSPHRASE = 'correct horse battery staple'
const COST = 2 ** 15
const P256: KeyType = { kind: 'ecdsa', curve: 'P-256' }
const MESSAGE = Uint8Array.of(1, 2, 3)

/** The members of both kinds of files, as far as the tests change them. */
interface StoredJson {
  version: number
  name: string
  verifier: string
  ciphertext: string
  kdf?: { name: string; N: number; r: number; p: number; salt: string }
  cipher?: { name: string; salt: string; nonce: string }
}

let root: string
let made = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'touchmark-keys-'))
})

afterAll(async () => {
  await rm(root, { recursive: true })
})

function newFolder(): string {
  return join(root, `store-${made++}`)
}

function openAt(dir: string, passphrase = PASSPHRASE): Promise<KeyStore> {
  return openKeyStore({ dir, passphrase, scryptCost: COST })
}

async function newStore(): Promise<{ dir: string; store: KeyStore }> {
  const dir = newFolder()
  return { dir, store: await openAt(dir) }
}

async function edit(path: string, change: (json: StoredJson) => void): Promise<void> {
  const json = JSON.parse(await readFile(path, 'utf8')) as StoredJson
  change(json)
  await writeFile(path, JSON.stringify(json))
}

function flip(base64: string, at = 0): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[(at + bytes.length) % bytes.length]! ^= 1
  return bytes.toString('base64')
}

describe('a key store', () => {
  it('gives the same key after it is opened again', async () => {
    const { dir, store } = await newStore()
    const types: readonly KeyType[] = [
      P256,
      { kind: 'ecdsa', curve: 'P-384' },
      { kind: 'ed25519' },
      { kind: 'rsa', modulusBits: 2048 },
    ]
    const signers = await Promise.all(types.map((type, i) => store.create(`key-${i}`, type)))
    const again = await openAt(dir)
    expect(again.names()).toEqual(['key-0', 'key-1', 'key-2', 'key-3'])
    for (const [i, signer] of signers.entries()) {
      const opened = await again.open(`key-${i}`)
      expect(opened.publicKey).toEqual(signer.publicKey)
      expect(opened.publicKey.type).toEqual(types[i])
      expect(nodeCrypto.verify(signer.publicKey, signer.scheme, MESSAGE, await opened.sign(MESSAGE))).toBe(true)
    }
  })

  it('writes files for the owner alone, in a folder for the owner alone, and leaves no others', async () => {
    const { dir, store } = await newStore()
    await store.create('log', P256)
    await store.putCertificate('log', MESSAGE)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    const files = (await readdir(dir)).sort()
    expect(files).toEqual(['log.crt.pem', 'log.key.json', 'store.json'])
    for (const file of files) expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600)
  })

  it('writes nothing of the private key or the passphrase in clear', async () => {
    const { dir, store } = await newStore()
    await store.create('log', P256)
    for (const file of await readdir(dir)) {
      const text = await readFile(join(dir, file), 'latin1')
      expect(text).not.toContain(PASSPHRASE)
      expect(text).not.toContain('PRIVATE')
      // The base64 that every P-256 PKCS#8 begins with.
      expect(text).not.toContain('MIGHAgEAMBMGByqGSM49')
    }
    expect(JSON.stringify(store)).toBe('{}')
  })

  it('seals the same key differently each time', async () => {
    const { dir, store } = await newStore()
    await store.create('a', P256)
    await store.create('b', P256)
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async (name) => JSON.parse(await readFile(join(dir, `${name}.key.json`), 'utf8')) as StoredJson),
    )
    expect(a!.cipher!.salt).not.toBe(b!.cipher!.salt)
    expect(a!.cipher!.nonce).not.toBe(b!.cipher!.nonce)
  })

  it('never overwrites a key', async () => {
    const { dir, store } = await newStore()
    const { publicKey } = await store.create('log', P256)
    const before = await readFile(join(dir, 'log.key.json'))
    await expect(store.create('log', P256)).rejects.toThrowCode('KEYS_EXISTS')
    expect(await readFile(join(dir, 'log.key.json'))).toEqual(before)
    expect((await store.open('log')).publicKey).toEqual(publicKey)
  })

  it('knows which keys it has, those of another process too', async () => {
    const { dir, store } = await newStore()
    expect(store.has('log')).toBe(false)
    await expect(store.open('log')).rejects.toThrowCode('KEYS_NOT_FOUND')
    await (await openAt(dir)).create('log', P256)
    expect(store.has('log')).toBe(true)
    expect(store.names()).toEqual(['log'])
  })

  it('refuses names that are no plain file names', async () => {
    const { dir, store } = await newStore()
    const names = ['', '.', '..', '../x', 'a/b', 'A', 'a b', 'a.b', '-a', 'a-', 'a--b', 'é', 'a\0', 'x'.repeat(65)]
    for (const name of names) {
      await expect(store.create(name, P256)).rejects.toThrowCode('KEYS_NAME_INVALID')
      await expect(store.open(name)).rejects.toThrowCode('KEYS_NAME_INVALID')
      await expect(store.putCertificate(name, MESSAGE)).rejects.toThrowCode('KEYS_NAME_INVALID')
      await expect(store.readCertificate(name)).rejects.toThrowCode('KEYS_NAME_INVALID')
      expect(() => store.has(name)).toThrowCode('KEYS_NAME_INVALID')
    }
    expect(await readdir(dir)).toEqual(['store.json'])
  })
})

describe('two starters at once', () => {
  it('make one store, whose key both have', async () => {
    const dir = newFolder()
    const stores = await Promise.all([openAt(dir), openAt(dir), openAt(dir)])
    await stores[0]!.create('log', P256)
    const keys = await Promise.all(stores.map((store) => store.open('log')))
    expect(new Set(keys.map(({ publicKey }) => Buffer.from(publicKey.spki).toString('hex'))).size).toBe(1)
  })

  it('make one key with create: one is told that it exists', async () => {
    const { dir, store } = await newStore()
    const stores = [store, await openAt(dir), await openAt(dir), await openAt(dir)]
    const results = await Promise.allSettled(stores.map((one) => one.create('log', P256)))
    const created = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(created).toHaveLength(1)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toThrowCode('KEYS_EXISTS')
    expect((await store.open('log')).publicKey).toEqual(created[0]!.publicKey)
    expect((await readdir(dir)).filter((file) => file.startsWith('.'))).toEqual([])
  })

  it('get the same key with openOrCreate', async () => {
    const { dir, store } = await newStore()
    const stores = [store, await openAt(dir), await openAt(dir), await openAt(dir)]
    const signers = await Promise.all(stores.map((one) => one.openOrCreate('log', P256)))
    for (const { publicKey } of signers) expect(publicKey).toEqual(signers[0]!.publicKey)
  })

  it('are not both told yes when their passphrases differ', async () => {
    const dir = newFolder()
    const results = await Promise.allSettled([openAt(dir, 'one'), openAt(dir, 'other')])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toThrowCode('KEYS_PASSPHRASE_WRONG')
  })
})

describe('the passphrase', () => {
  it('is refused when wrong, by one sentence, also when store.json was changed', async () => {
    const { dir } = await newStore()
    const sentences = new Set<string>()
    const collect = async (attempt: Promise<unknown>): Promise<void> => {
      const error: unknown = await attempt.catch((thrown: unknown) => thrown)
      expect(error).toThrowCode('KEYS_PASSPHRASE_WRONG')
      sentences.add((error as Error).message)
    }
    await collect(openAt(dir, 'wrong'))
    await collect(openAt(dir, `${PASSPHRASE}\n`))
    const path = join(dir, 'store.json')
    const before = await readFile(path)
    await edit(path, (json) => (json.kdf!.salt = flip(json.kdf!.salt)))
    await collect(openAt(dir))
    await writeFile(path, before)
    await edit(path, (json) => (json.verifier = flip(json.verifier)))
    await collect(openAt(dir))
    await writeFile(path, before)
    await edit(path, (json) => (json.kdf!.N = 2 ** 16))
    await collect(openAt(dir))
    expect(sentences.size).toBe(1)
    await writeFile(path, before)
    await openAt(dir)
  })

  it('may not be empty', async () => {
    await expect(openAt(newFolder(), '')).rejects.toThrowCode('KEYS_PASSPHRASE_MISSING')
  })

  it('is the same in either Unicode form', async () => {
    const dir = newFolder()
    await openAt(dir, 'caf\u00e9')
    await openAt(dir, 'cafe\u0301')
  })
})

describe('store.json', () => {
  let dir: string
  let good: Buffer

  beforeAll(async () => {
    ;({ dir } = await newStore())
    good = await readFile(join(dir, 'store.json'))
  })

  it.each<[string, (json: StoredJson) => void]>([
    ['another version', (json) => (json.version = 2)],
    ['another kdf', (json) => (json.kdf!.name = 'pbkdf2')],
    ['a cost that is too low', (json) => (json.kdf!.N = 1024)],
    ['a cost that takes all memory', (json) => (json.kdf!.N = 2 ** 30)],
    ['another r', (json) => (json.kdf!.r = 2 ** 20)],
    ['another p', (json) => (json.kdf!.p = 1000)],
    ['a short salt', (json) => (json.kdf!.salt = 'AAAA')],
    ['a short verifier', (json) => (json.verifier = '')],
    ['no kdf', (json) => delete json.kdf],
  ])('is refused with %s', async (_what, change) => {
    await writeFile(join(dir, 'store.json'), good)
    await edit(join(dir, 'store.json'), change)
    await expect(openAt(dir)).rejects.toThrowCode('KEYS_FILE_INVALID')
  })

  it('is refused when it is no JSON, empty, or too large', async () => {
    for (const content of ['', '{', 'null', '[]', Buffer.of(0xff), Buffer.alloc(70_000, 0x20)]) {
      await writeFile(join(dir, 'store.json'), content)
      await expect(openAt(dir)).rejects.toThrowCode('KEYS_FILE_INVALID')
    }
  })

  it('is not made anew beside keys that it alone could open', async () => {
    const { dir, store } = await newStore()
    await store.create('log', P256)
    await rm(join(dir, 'store.json'))
    await expect(openAt(dir)).rejects.toThrowCode('KEYS_FILE_INVALID')
  })

  it('refuses a cost that is not offered when a store is made', async () => {
    await expect(openKeyStore({ dir: newFolder(), passphrase: 'x', scryptCost: 1024 })).rejects.toThrow(RangeError)
  })
})

describe('a key file', () => {
  let dir: string
  let store: KeyStore
  let path: string
  let good: Buffer

  beforeAll(async () => {
    ;({ dir, store } = await newStore())
    path = join(dir, 'log.key.json')
    await store.create('log', P256)
    await store.create('tsa', P256)
    good = await readFile(path)
  })

  it.each<[string, (json: StoredJson) => void]>([
    ['a changed ciphertext', (json) => (json.ciphertext = flip(json.ciphertext))],
    ['a changed tag', (json) => (json.ciphertext = flip(json.ciphertext, -1))],
    ['a cut ciphertext', (json) => (json.ciphertext = json.ciphertext.slice(0, -8))],
    ['a ciphertext shorter than its tag', (json) => (json.ciphertext = 'AAAA')],
    ['a changed salt', (json) => (json.cipher!.salt = flip(json.cipher!.salt))],
    ['a changed nonce', (json) => (json.cipher!.nonce = flip(json.cipher!.nonce))],
    ['a short nonce', (json) => (json.cipher!.nonce = 'AAAA')],
    ['another cipher', (json) => (json.cipher!.name = 'aes-256-ctr')],
    ['another version', (json) => (json.version = 2)],
    ['another name inside', (json) => (json.name = 'tsa')],
    ['no cipher', (json) => delete json.cipher],
  ])('is refused with %s', async (_what, change) => {
    await writeFile(path, good)
    await edit(path, change)
    await expect(store.open('log')).rejects.toThrowCode('KEYS_FILE_INVALID')
  })

  it('is refused when it was cut at any place', async () => {
    for (let length = 0; length < good.length - 1; length += 13) {
      await writeFile(path, good.subarray(0, length))
      await expect(store.open('log')).rejects.toThrowCode('KEYS_FILE_INVALID')
    }
  })

  it('is refused under the name of another key, also with the name inside changed to fit', async () => {
    await copyFile(join(dir, 'tsa.key.json'), path)
    await expect(store.open('log')).rejects.toThrowCode('KEYS_FILE_INVALID')
    await edit(path, (json) => (json.name = 'log'))
    await expect(store.open('log')).rejects.toThrowCode('KEYS_FILE_INVALID')
  })

  it('is refused when it comes from another store, of the same passphrase too', async () => {
    const other = await newStore()
    await other.store.create('log', P256)
    await copyFile(join(other.dir, 'log.key.json'), path)
    await expect(store.open('log')).rejects.toThrowCode('KEYS_FILE_INVALID')
  })

  it('gives a coded error for any bytes', async () => {
    const changed = fc.tuple(fc.nat(), fc.nat(255)).map(([at, value]) => {
      const bytes = Uint8Array.from(good)
      bytes[at % bytes.length] = value
      return bytes
    })
    const { publicKey } = await (async () => {
      await writeFile(path, good)
      return store.open('log')
    })()
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), async (bytes) => {
        await writeFile(path, bytes)
        try {
          expect((await store.open('log')).publicKey).toEqual(publicKey)
        } catch (error) {
          if (!isCodedError(error)) throw error
          expect(error.code).toBe('KEYS_FILE_INVALID')
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('modes', () => {
  it('refuse a key file that is open to others', async () => {
    const { dir, store } = await newStore()
    await store.create('log', P256)
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await chmod(join(dir, 'log.key.json'), mode)
      await expect(store.open('log')).rejects.toThrowCode('KEYS_PERMISSIONS')
    }
    await chmod(join(dir, 'log.key.json'), 0o400)
    await store.open('log')
  })

  it('refuse a store.json that others can read', async () => {
    const { dir } = await newStore()
    await chmod(join(dir, 'store.json'), 0o644)
    await expect(openAt(dir)).rejects.toThrowCode('KEYS_PERMISSIONS')
  })

  it('refuse a folder that others can write to, and take one that they can read', async () => {
    const dir = newFolder()
    await mkdir(dir)
    for (const mode of [0o777, 0o770, 0o702]) {
      await chmod(dir, mode)
      await expect(openAt(dir)).rejects.toThrowCode('KEYS_PERMISSIONS')
    }
    await chmod(dir, 0o755)
    await openAt(dir)
  })

  it('make no difference to certificates, which are no secret', async () => {
    const { dir, store } = await newStore()
    await store.putCertificate('ca', MESSAGE)
    await chmod(join(dir, 'ca.crt.pem'), 0o644)
    expect(await store.readCertificate('ca')).toEqual(MESSAGE)
  })
})

describe('a folder that cannot be one', () => {
  it('is a coded error', async () => {
    const file = join(root, 'a-file')
    await writeFile(file, 'x')
    await expect(openAt(file)).rejects.toThrowCode('KEYS_STORAGE')
    await expect(openAt(join(file, 'below'))).rejects.toThrowCode('KEYS_STORAGE')
  })
})

describe('certificates', () => {
  let dir: string
  let store: KeyStore

  beforeAll(async () => {
    ;({ dir, store } = await newStore())
  })

  it('are stored as PEM, and not replaced unless asked', async () => {
    expect(await store.readCertificate('ca')).toBeUndefined()
    await store.putCertificate('ca', MESSAGE)
    expect(await readFile(join(dir, 'ca.crt.pem'), 'utf8')).toBe(
      '-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n',
    )
    await expect(store.putCertificate('ca', Uint8Array.of(9))).rejects.toThrowCode('KEYS_EXISTS')
    expect(await store.readCertificate('ca')).toEqual(MESSAGE)
    await store.putCertificate('ca', Uint8Array.of(9), { replace: true })
    expect(await store.readCertificate('ca')).toEqual(Uint8Array.of(9))
    expect(store.names()).toEqual([])
  })

  it.each([
    ['nothing', ''],
    ['another label', '-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----\n'],
    ['two blocks', '-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n'.repeat(2)],
    ['a block without an end', '-----BEGIN CERTIFICATE-----\nAQID\n'],
  ])('are refused when the file has %s', async (_what, text) => {
    await writeFile(join(dir, 'ca.crt.pem'), text)
    await expect(store.readCertificate('ca')).rejects.toThrowCode('KEYS_FILE_INVALID')
  })
})
