import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseEntryBody } from '@touchmark/entry'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { TestInstance } from '../../verify/src/testing/instance.js'
import { parseEntryAnswer, recordSignature } from './log-client.js'
import { testHttp } from './testing/servers.js'
import { entryJson, TestServices, URLS } from './testing/services.js'

const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const DIGEST = nodeCrypto.hash('SHA2_256', utf8Encode('artifact'))
let instance: TestInstance
let services: TestServices
let good: Record<string, unknown>

beforeAll(async () => {
  instance = await TestInstance.create()
  good = entryJson(await instance.v2.append(utf8Encode('{"a":1}'), 'hashedrekord', '0.0.2', { followedBy: 2 }))
})
beforeEach(() => {
  services = new TestServices(instance)
})

const parse = (value: unknown): ReturnType<typeof parseEntryAnswer> =>
  parseEntryAnswer(utf8Encode(JSON.stringify(value)))

/** The good answer with one member changed, by its path. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(good)
  const names = path.split('.')
  const last = names.pop()!
  const parent = names.reduce<Record<string, unknown>>((at, name) => at[name] as Record<string, unknown>, copy)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return copy
}

describe('recordSignature', () => {
  const http = (): ReturnType<typeof testHttp> => testHttp({ fetch: services.fetch })
  const record = async (by: 'certificate' | 'publicKey') => {
    const verifier =
      by === 'certificate'
        ? { certificate: (await instance.issue({ key: signer.publicKey })).der }
        : { publicKey: signer.publicKey.spki }
    const signature = await signer.sign(utf8Encode('artifact'))
    return { digest: DIGEST, signature, key: signer.publicKey, verifier }
  }

  it.each(['certificate', 'publicKey'] as const)('has a signature recorded that a %s verifies', async (by) => {
    const wanted = await record(by)
    const entry = await recordSignature(`${URLS.logUrl}/`, wanted, http())
    const body = parseEntryBody(entry.canonicalizedBody)
    expect(body).toMatchObject({
      kind: 'hashedrekord',
      data: { digest: DIGEST },
      signature: { content: wanted.signature },
    })
    expect(entry.inclusionProof!.logIndex).toBe(entry.logIndex)
  })

  it('sends what the contract has', async () => {
    const wanted = await record('publicKey')
    await recordSignature(URLS.logUrl, wanted, http())
    expect(JSON.parse(Buffer.from(services.asked[0]!.body).toString())).toEqual({
      hashedRekordRequestV002: {
        digest: base64Encode(DIGEST),
        signature: {
          content: base64Encode(wanted.signature),
          verifier: {
            publicKey: { rawBytes: base64Encode(signer.publicKey.spki) },
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          },
        },
      },
    })
  })

  it.each([400, 403, 404, 409, 422])('says that the log refused with %d', async (status) => {
    services.change = () => new Response('{"code":3,"message":"invalid signature"}', { status })
    const error: unknown = await recordSignature(URLS.logUrl, await record('publicKey'), http()).catch(
      (e: unknown) => e,
    )
    expect(error).toMatchObject({
      code: 'SIGN_REQUEST_REFUSED',
      details: { found: expect.stringContaining('invalid') },
    })
  })
})

describe('parseEntryAnswer', () => {
  it('reads an entry and its proof', () => {
    const entry = parse(good)
    expect(entryJson(entry)).toEqual(good)
  })

  it('reads what the newest answers of other logs may hold beside it', () => {
    expect(parse({ ...good, somethingNew: { a: 1 } })).toEqual(parse(good))
  })

  it('reads the first entry of a tree, which Go writes without index and hashes', () => {
    const first = structuredClone(good) as { inclusionProof: Record<string, unknown> } & Record<string, unknown>
    delete first['logIndex']
    delete first.inclusionProof['logIndex']
    delete first.inclusionProof['hashes']
    expect(parse(first)).toMatchObject({ logIndex: 0n, inclusionProof: { logIndex: 0n, hashes: [] } })
  })

  const paths = [
    'logId',
    'logId.keyId',
    'kindVersion',
    'kindVersion.kind',
    'kindVersion.version',
    'canonicalizedBody',
    'inclusionProof',
    'inclusionProof.rootHash',
    'inclusionProof.treeSize',
    'inclusionProof.checkpoint',
    'inclusionProof.checkpoint.envelope',
  ]

  it.each(paths)('refuses an answer without %s', (path) => {
    expect(() => parse(changed(path, undefined))).toThrowCode('SIGN_SERVICE_ANSWER')
    expect(() => parse(changed(path, null))).toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it.each([...paths, 'logIndex', 'inclusionProof.logIndex', 'inclusionProof.hashes'])(
    'refuses another type at %s',
    (path) => {
      for (const value of [true, 1.5, 'é', { x: [] }, [[]]]) {
        if (value === 'é' && /envelope|kind$|version$/.test(path)) continue
        // Unknown members are ignored, so an object without known ones lacks its parts instead.
        expect(() => parse(changed(path, value))).toThrowCode('SIGN_SERVICE_ANSWER')
      }
    },
  )

  it.each<[string, string, unknown]>([
    ['two different indexes', 'logIndex', '2'],
    ['a negative index', 'logIndex', '-1'],
    ['an index that no tree has', 'logIndex', '9223372036854775808'],
    ['a tree that is too small for its entry', 'inclusionProof.treeSize', '1'],
    ['an empty checkpoint', 'inclusionProof.checkpoint.envelope', ''],
  ])('refuses %s', (_name, path, value) => {
    expect(() => parse(changed(path, value))).toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it.each(['', 'null', '[]', '"x"', '{', '{"logIndex":"1","logIndex":"1"}'])('refuses %j', (text) => {
    expect(() => parseEntryAnswer(utf8Encode(text))).toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('reads any bytes, or refuses them with a code', () => {
    const text = utf8Encode(JSON.stringify(good))
    const flipped = fc
      .record({ at: fc.nat(text.length - 1), bit: fc.nat(7) })
      .map(({ at, bit }) => text.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte)))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), flipped), (bytes) => {
        try {
          const entry = parseEntryAnswer(bytes)
          expect(parse(entryJson(entry))).toEqual(entry)
        } catch (error) {
          if (!isCodedError(error)) throw error
        }
      }),
      { numRuns: 500 },
    )
  })
})
