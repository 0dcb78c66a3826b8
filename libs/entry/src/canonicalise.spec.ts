import { createPrivateKey, generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { parsePublicKeyDer, type CryptoPort } from '@touchmark/crypto'
import { generateSigner, nodeCrypto, type MemorySigner } from '@touchmark/crypto/node'
import { base64Encode, concatBytes, utf8Encode } from '@touchmark/encoding'
import fc from 'fast-check'
import { canonicalise, EntryError, parseEntryBody, parseEntryRequest, type EntryRequest } from './index.js'

const p256 = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const other = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const ed25519 = generateSigner({ kind: 'ed25519' })
const artifact = utf8Encode('an artifact\n')
const none = new Uint8Array(0)
const P256 = 5
const ED25519 = 7
const ED25519_PH = 8

const sha256 = (bytes: Uint8Array): Uint8Array => nodeCrypto.hash('SHA2_256', bytes)

/** Counts what is verified: cheap refusals must come before expensive checks. */
function counting(): CryptoPort & { calls: number } {
  const port = {
    calls: 0,
    hash: nodeCrypto.hash,
    verify: (...args: Parameters<CryptoPort['verify']>) => (port.calls++, nodeCrypto.verify(...args)),
    verifyDigest: (...args: Parameters<CryptoPort['verifyDigest']>) => (port.calls++, nodeCrypto.verifyDigest(...args)),
  }
  return port
}

type Hashed = Extract<EntryRequest, { kind: 'hashedrekord' }>
type Dsse = Extract<EntryRequest, { kind: 'dsse' }>

async function hashedRequest(signer: MemorySigner = p256, keyDetails = P256): Promise<Hashed> {
  return {
    kind: 'hashedrekord',
    digest: sha256(artifact),
    signature: {
      content: await signer.sign(artifact),
      verifier: { publicKey: { rawBytes: signer.publicKey.spki }, keyDetails },
    },
  }
}

const payload = utf8Encode('{"_type":"x"}')
const payloadType = 'application/vnd.in-toto+json'
const pae = utf8Encode(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} {"_type":"x"}`)
const keyOf = (signer: MemorySigner, keyDetails = P256) => ({
  publicKey: { rawBytes: signer.publicKey.spki },
  keyDetails,
})

async function dsseRequest(
  signers: MemorySigner[],
  verifiers: Dsse['verifiers'] = signers.map((s) => keyOf(s)),
): Promise<Dsse> {
  const signatures = await Promise.all(signers.map(async (signer) => ({ sig: await signer.sign(pae) })))
  return { kind: 'dsse', envelope: { payload, payloadType, signatures }, ...(verifiers && { verifiers }) }
}

const write = (request: EntryRequest, crypto: CryptoPort = nodeCrypto) => canonicalise(request, crypto)

describe('canonicalise, hashedrekord', () => {
  it('writes the entry of a valid request', async () => {
    const request = await hashedRequest()
    const entry = write(request)
    expect([entry.kind, entry.version]).toEqual(['hashedrekord', '0.0.2'])
    expect(parseEntryBody(entry.body)).toEqual({
      kind: 'hashedrekord',
      version: '0.0.2',
      data: { algorithm: 'SHA2_256', digest: request.digest },
      signature: {
        content: request.signature!.content,
        verifier: { keyDetails: 'PKIX_ECDSA_P256_SHA_256', publicKey: p256.publicKey.spki },
      },
    })
  })

  it('takes an ECDSA signature as r || s and stores it as sent', async () => {
    const key = createPrivateKey({ key: Buffer.from(p256.pkcs8()), format: 'der', type: 'pkcs8' })
    const content = new Uint8Array(nodeSign('sha256', artifact, { key, dsaEncoding: 'ieee-p1363' }))
    const request = await hashedRequest()
    const entry = parseEntryBody(write({ ...request, signature: { ...request.signature, content } }).body)
    expect(entry).toMatchObject({ signature: { content } })
  })

  it('takes Ed25519ph alone of the two kinds of Ed25519', async () => {
    const ph = generateSigner({ kind: 'ed25519' }, { kind: 'ed25519ph' })
    const digest = nodeCrypto.hash('SHA2_512', artifact)
    const request = { ...(await hashedRequest(ph, ED25519_PH)), digest }
    expect(parseEntryBody(write(request).body)).toMatchObject({ data: { algorithm: 'SHA2_512' } })
    const crypto = counting()
    const pure = { ...request, signature: { ...request.signature, verifier: keyOf(ph, ED25519) } }
    expect(() => write(pure, crypto)).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
    const unsigned = { ...request, signature: { ...request.signature, content: none } }
    expect(() => write(unsigned, crypto)).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
    expect(crypto.calls).toBe(0)
  })

  const wrongs: [string, (request: Hashed) => Hashed][] = [
    ['no signature', (r) => ({ kind: r.kind, digest: r.digest! })],
    ['an empty signature', (r) => ({ ...r, signature: { ...r.signature, content: none } })],
    ['no digest', (r) => ({ kind: r.kind, signature: r.signature! })],
    ['an empty digest', (r) => ({ ...r, digest: none })],
    ['no verifier', (r) => ({ ...r, signature: { content: r.signature!.content! } })],
    ['neither key nor certificate', (r) => ({ ...r, signature: { ...r.signature, verifier: { keyDetails: P256 } } })],
    [
      'an empty key',
      (r) => ({ ...r, signature: { ...r.signature, verifier: { publicKey: { rawBytes: none }, keyDetails: P256 } } }),
    ],
    [
      'an empty certificate',
      (r) => ({ ...r, signature: { ...r.signature, verifier: { x509Certificate: {}, keyDetails: P256 } } }),
    ],
    [
      'a key where a certificate belongs',
      (r) => ({
        ...r,
        signature: {
          ...r.signature,
          verifier: { x509Certificate: { rawBytes: p256.publicKey.spki }, keyDetails: P256 },
        },
      }),
    ],
    ['a digest that is too short', (r) => ({ ...r, digest: r.digest!.subarray(1) })],
    ['a digest that is too long', (r) => ({ ...r, digest: concatBytes(r.digest!, Uint8Array.of(0)) })],
    ['another key', (r) => ({ ...r, signature: { ...r.signature, verifier: keyOf(other) } })],
    ['keyDetails of another kind', (r) => ({ ...r, signature: { ...r.signature, verifier: keyOf(p256, 9) } })],
    ['keyDetails of another curve', (r) => ({ ...r, signature: { ...r.signature, verifier: keyOf(p256, 12) } })],
  ]
  it.each(wrongs)('refuses %s', async (name, change) => {
    const request = change(await hashedRequest())
    const crypto = counting()
    expect(() => write(request, crypto)).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
    // All but a wrong signature is found without checking one.
    expect(crypto.calls).toBe(name === 'another key' ? 1 : 0)
  })

  it.each([0, 1, 2, 3, 4, 6, 7, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 999, -1])(
    'refuses keyDetails %i before any key is parsed',
    async (keyDetails) => {
      const request = await hashedRequest(p256, keyDetails)
      const crypto = counting()
      expect(() => write(request, crypto)).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
      expect(crypto.calls).toBe(0)
    },
  )

  it('refuses a flip of any bit of digest or signature', async () => {
    const request = await hashedRequest()
    for (const part of ['digest', 'content'] as const) {
      const original = part === 'digest' ? request.digest! : request.signature!.content!
      for (let bit = 0; bit < original.length * 8; bit += 5) {
        const flipped = original.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const changed =
          part === 'digest'
            ? { ...request, digest: flipped }
            : { ...request, signature: { ...request.signature, content: flipped } }
        expect(() => write(changed)).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
      }
    }
  })

  it.each([
    ['RSA 1024', 'rsa', 1024],
    ['P-224', 'ec', 'secp224r1'],
    ['secp256k1', 'ec', 'secp256k1'],
  ])('refuses a key of %s', async (_, kind, size) => {
    const pair =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: size as number })
        : generateKeyPairSync('ec', { namedCurve: size as string })
    const rawBytes = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }))
    const content = new Uint8Array(nodeSign('sha256', artifact, pair.privateKey))
    for (const keyDetails of [P256, 9, 10, 11]) {
      const request: Hashed = {
        kind: 'hashedrekord',
        digest: sha256(artifact),
        signature: { content, verifier: { publicKey: { rawBytes }, keyDetails } },
      }
      expect(() => write(request)).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
    }
  })

  it('refuses a point off the curve', async () => {
    const request = await hashedRequest()
    const rawBytes = p256.publicKey.spki.slice()
    rawBytes[rawBytes.length - 1]! ^= 1
    expect(() => parsePublicKeyDer(rawBytes)).toThrow()
    expect(() =>
      write({
        ...request,
        signature: { ...request.signature, verifier: { publicKey: { rawBytes }, keyDetails: P256 } },
      }),
    ).toThrowCode('ENTRY_HASHEDREKORD_INVALID')
  })

  it('does not take a mistake of our own for the client’s', async () => {
    const request = await hashedRequest()
    const verifier = { publicKey: { rawBytes: null as never }, keyDetails: P256 }
    expect(() => write({ ...request, signature: { ...request.signature, verifier } })).toThrow(TypeError)
  })

  it('refuses an entry that no bundle can hold, before the signature is checked', async () => {
    const crypto = counting()
    const request = await hashedRequest()
    const content = new Uint8Array(60_000)
    expect(() => write({ ...request, signature: { ...request.signature, content } }, crypto)).toThrowCode(
      'ENTRY_TOO_LARGE',
    )
    expect(crypto.calls).toBe(0)
  })
})

describe('canonicalise, dsse', () => {
  it('stores signatures ascending, each with its own verifier, and no payload', async () => {
    const request = await dsseRequest([p256, other], [keyOf(other), keyOf(p256)])
    const entry = parseEntryBody(write(request).body)
    if (entry.kind !== 'dsse') throw new Error('not dsse')
    expect(entry.payloadHash).toEqual({ algorithm: 'SHA2_256', digest: sha256(payload) })
    const contents = entry.signatures.map((signature) => base64Encode(signature.content))
    expect(contents).toHaveLength(2)
    expect(Buffer.compare(entry.signatures[0]!.content, entry.signatures[1]!.content)).toBe(-1)
    const bySigner = new Map(
      [p256, other].map((signer, i) => [base64Encode(request.envelope!.signatures![i]!.sig!), signer.publicKey.spki]),
    )
    for (const { content, verifier } of entry.signatures) {
      expect(verifier.publicKey).toEqual(bySigner.get(base64Encode(content)))
    }
  })

  it('gives one body for any order, and counts a repeated signature once', async () => {
    const request = await dsseRequest([p256, other])
    const { signatures } = request.envelope!
    const again = {
      ...request,
      envelope: { ...request.envelope, signatures: [...signatures!].reverse().concat(signatures!) },
      verifiers: [...request.verifiers!].reverse(),
    }
    expect(write(again).body).toEqual(write(request).body)
  })

  it('takes pure Ed25519 under either name, and stores the name as sent', async () => {
    for (const [number, name] of [
      [ED25519, 'PKIX_ED25519'],
      [ED25519_PH, 'PKIX_ED25519_PH'],
    ] as const) {
      const entry = parseEntryBody(write(await dsseRequest([ed25519], [keyOf(ed25519, number)])).body)
      expect(entry).toMatchObject({ signatures: [{ verifier: { keyDetails: name } }] })
    }
  })

  it('takes an empty payload and an empty payload type', async () => {
    const sig = await p256.sign(utf8Encode('DSSEv1 0  0 '))
    expect(write({ kind: 'dsse', envelope: { signatures: [{ sig }] }, verifiers: [keyOf(p256)] }).kind).toBe('dsse')
  })

  it('counts the payload type in bytes', async () => {
    const sig = await p256.sign(utf8Encode('DSSEv1 2 é 0 '))
    const envelope = { payloadType: 'é', signatures: [{ sig }] }
    expect(write({ kind: 'dsse', envelope, verifiers: [keyOf(p256)] }).kind).toBe('dsse')
  })

  const refusals: [string, () => Promise<Dsse>][] = [
    ['no envelope', async () => ({ kind: 'dsse', verifiers: [keyOf(p256)] })],
    ['no verifiers', () => dsseRequest([p256], [])],
    ['no signatures', () => dsseRequest([], [keyOf(p256)])],
    ['a verifier without a signature', () => dsseRequest([p256], [keyOf(p256), keyOf(other)])],
    ['a signature without a verifier', () => dsseRequest([p256, other], [keyOf(p256)])],
    ['two signatures of one key', () => dsseRequest([p256, p256], [keyOf(p256), keyOf(other)])],
    ['two signatures of one key, which is given twice', () => dsseRequest([p256, p256])],
    ['a signature by another key', () => dsseRequest([p256], [keyOf(other)])],
    ['keyDetails that do not fit', () => dsseRequest([p256], [keyOf(p256, 12)])],
    ['keyDetails that are not taken', () => dsseRequest([p256], [keyOf(p256, 0)])],
    [
      'an empty signature',
      async () => ({ ...(await dsseRequest([p256])), envelope: { payload, payloadType, signatures: [{}] } }),
    ],
    [
      'another payload',
      async () => {
        const request = await dsseRequest([p256])
        return { ...request, envelope: { ...request.envelope, payload: artifact } }
      },
    ],
    [
      'another payload type',
      async () => {
        const request = await dsseRequest([p256])
        return { ...request, envelope: { ...request.envelope, payloadType: 'text/plain' } }
      },
    ],
  ]
  it.each(refusals)('refuses %s', async (_, make) => {
    const request = await make()
    expect(() => write(request)).toThrowCode('ENTRY_DSSE_INVALID')
  })

  it('counts verifiers and signatures before it checks any', async () => {
    const crypto = counting()
    const [signature] = (await dsseRequest([p256])).envelope!.signatures!
    const many = Array.from({ length: 11 }, () => keyOf(p256))
    const envelope = { payload, payloadType, signatures: [signature!] }
    expect(() => write({ kind: 'dsse', envelope, verifiers: many }, crypto)).toThrowCode('ENTRY_DSSE_INVALID')
    const repeated = { ...envelope, signatures: Array.from({ length: 11 }, () => signature!) }
    expect(() => write({ kind: 'dsse', envelope: repeated, verifiers: [keyOf(p256)] }, crypto)).toThrowCode(
      'ENTRY_DSSE_INVALID',
    )
    const unsigned = { ...envelope, signatures: [{ sig: none }] }
    const verifiers = [keyOf(ed25519, ED25519)]
    expect(() => write({ kind: 'dsse', envelope: unsigned, verifiers }, crypto)).toThrowCode('ENTRY_DSSE_INVALID')
    expect(crypto.calls).toBe(0)
  })
})

describe('parseEntryRequest', () => {
  it('answers any bytes with a request or a coded error, and canonicalises none of it without a signature', () => {
    const pieces = fc.array(
      fc.constantFrom(
        ...[
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"hashedRekordRequestV002"',
          '"dsseRequestV002"',
          '"signature"',
          '"verifier"',
        ],
        ...[
          '"digest"',
          '"content"',
          '"AQ=="',
          '"keyDetails"',
          '5',
          '"envelope"',
          '"signatures"',
          '"verifiers"',
          'null',
        ],
      ),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          pieces.map((parts) => utf8Encode(parts.join(''))),
        ),
        (bytes) => {
          try {
            canonicalise(parseEntryRequest(bytes), nodeCrypto)
          } catch (error) {
            expect(error).toBeInstanceOf(EntryError)
            return
          }
          throw new Error('taken')
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('refuses both kinds at once, deep nesting and unknown members', () => {
    for (const text of [
      '{"hashedRekordRequestV002":{},"dsseRequestV002":{}}',
      '{"dsseRequestV002":'.repeat(1000),
      '{"proposedEntries":[]}',
    ]) {
      expect(() => parseEntryRequest(utf8Encode(text))).toThrowCode('ENTRY_JSON_INVALID')
    }
  })

  it.each(['', ' ', '{}', '{"hashedRekordRequestV002":null}'])('finds no kind in %j', (text) => {
    expect(() => parseEntryRequest(utf8Encode(text))).toThrowCode('ENTRY_KIND_MISSING')
  })
})
