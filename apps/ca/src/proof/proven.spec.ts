import { beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { parseIssuerConfig } from '@touchmark/identity'
import type { Authenticated } from '../identity/token-verifier.js'
import { TokenVerifier } from '../identity/token-verifier.js'
import { makeCsr } from '../testing/client.js'
import { MapSource, TestIssuer } from '../testing/test-issuer.js'
import { prove } from './proven.js'

const ISSUER = 'https://accounts.example.com'
const NAME = 'dev@example.com'
const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })

let somebody: Authenticated
beforeAll(async () => {
  const issuer = new TestIssuer()
  const tokens = new TokenVerifier({
    configuration: parseIssuerConfig(
      `oidc-issuers: {"${ISSUER}": {issuer-url: "${ISSUER}", client-id: c, type: email}}`,
    ),
    source: new MapSource({ [ISSUER]: issuer.jwks }),
    clock: new ManualClock('2026-06-01T12:00:00Z'),
  })
  somebody = await tokens.authenticate(
    issuer.token({ iss: ISSUER, aud: 'c', email: NAME, email_verified: true, exp: 1e10 }),
  )
})

const byKey = (proof: Uint8Array, key = signer.publicKey.spki): unknown =>
  prove(somebody, { kind: 'key', key, proof }, nodeCrypto)

describe('proof of possession', () => {
  it('is a signature over the name, DER', async () => {
    const proven = prove(
      somebody,
      { kind: 'key', key: signer.publicKey.spki, proof: await signer.sign(utf8Encode(NAME)) },
      nodeCrypto,
    )
    expect(proven.publicKey.spki).toEqual(signer.publicKey.spki)
    expect(proven.principal().subject).toEqual({ type: 'email', value: NAME })
  })

  it.each([
    ['another name', `${NAME} `],
    ['its hash', ''],
    ['the name in other case', 'DEV@example.com'],
  ])('over %s is refused', async (_, name) => {
    const proof = await signer.sign(utf8Encode(name))
    expect(() => byKey(proof)).toThrowCode('CA_PROOF_INVALID')
  })

  it('that is empty, cut, or has a byte more is refused', async () => {
    const proof = await signer.sign(utf8Encode(NAME))
    for (const wrong of [new Uint8Array(0), proof.subarray(1), Uint8Array.of(...proof, 0), new Uint8Array(64)]) {
      expect(() => byKey(wrong)).toThrowCode('CA_PROOF_INVALID')
    }
  })

  it('a CSR proves by itself', async () => {
    const pem = utf8Encode(await makeCsr(signer))
    expect(prove(somebody, { kind: 'csr', pem }, nodeCrypto).publicKey.spki).toEqual(signer.publicKey.spki)
  })

  it('nobody else can say that somebody has proven', async () => {
    const proven = prove(somebody, { kind: 'csr', pem: utf8Encode(await makeCsr(signer)) }, nodeCrypto)
    const Proven = proven.constructor as new (key: symbol, who: Authenticated, publicKey: object) => unknown
    expect(() => new Proven(Symbol('proven'), somebody, signer.publicKey)).toThrow(TypeError)
  })
})
