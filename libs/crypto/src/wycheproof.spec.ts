import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { hexDecode, hexEncode } from '@touchmark/encoding'
import { outsideVectors } from '../../../test/support/outside-vectors.mjs'
import { digestAlgorithm, fit } from './signature-checks.js'
import { nobleCrypto } from './noble/index.js'
import { nodeCrypto } from './node/index.js'
import { parsePublicKeyDer } from './public-key.js'
import type { CryptoPort, PublicKey, SignatureScheme } from './types.js'

const FOLDER = outsideVectors('wycheproof')

interface Case {
  tcId: number
  comment: string
  msg: string
  sig: string
  result: 'valid' | 'invalid' | 'acceptable'
}

interface Group {
  publicKeyDer: string
  tests: Case[]
}

function groupsOf(file: string): Group[] {
  return (JSON.parse(readFileSync(join(FOLDER ?? '', file), 'utf8')) as { testGroups: Group[] }).testGroups
}

const RSA: SignatureScheme = { kind: 'rsa-pkcs1', hash: 'SHA2_256' }
const FILES: readonly (readonly [file: string, cases: number, scheme: SignatureScheme])[] = [
  ['ecdsa_secp256r1_sha256_test.json', 484, { kind: 'ecdsa', hash: 'SHA2_256' }],
  ['ecdsa_secp384r1_sha384_test.json', 504, { kind: 'ecdsa', hash: 'SHA2_384' }],
  ['ecdsa_secp521r1_sha512_test.json', 542, { kind: 'ecdsa', hash: 'SHA2_512' }],
  ['ed25519_test.json', 151, { kind: 'ed25519' }],
  ['rsa_signature_2048_sha256_test.json', 259, RSA],
  ['rsa_signature_3072_sha256_test.json', 259, RSA],
  ['rsa_signature_4096_sha256_test.json', 258, RSA],
]

type Check = (key: PublicKey, scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array) => boolean

function overDigest(port: CryptoPort): Check {
  return (key, scheme, message, signature) =>
    port.verifyDigest(key, scheme, port.hash(digestAlgorithm(scheme)!, message), signature)
}

// noble's verify is its verifyDigest behind a hash, and takes milliseconds: it is run once, over the digest where there is one.
const WAYS: readonly (readonly [way: string, check: Check, takes: (scheme: SignatureScheme) => boolean])[] = [
  ['node verify', nodeCrypto.verify, () => true],
  ['node verifyDigest', overDigest(nodeCrypto), (scheme) => scheme.kind !== 'ed25519'],
  ['noble verifyDigest', overDigest(nobleCrypto), (scheme) => scheme.kind !== 'ed25519'],
  ['noble verify', nobleCrypto.verify, (scheme) => scheme.kind === 'ed25519'],
]

if (FOLDER === undefined) {
  it.skip('Wycheproof vectors are absent (TOUCHMARK_VECTORS): not run', () => undefined)
} else {
  describe.each(FILES)('Wycheproof %s', (file, count, scheme) => {
    const groups = groupsOf(file)

    it('is the whole file', () => {
      expect(groups.reduce((sum, group) => sum + group.tests.length, 0)).toBe(count)
    })

    it.each(WAYS.filter(([, , takes]) => takes(scheme)))(
      'every verdict is right by %s',
      (_way, check) => {
        const wrong: string[] = []
        for (const group of groups) {
          const key = parsePublicKeyDer(hexDecode(group.publicKeyDer))
          expect(fit(key, scheme)).toBeDefined()
          for (const { tcId, comment, msg, sig, result } of group.tests) {
            // "acceptable" is a DigestInfo without NULL in these files: refused, as Go does.
            const found = check(key, scheme, hexDecode(msg), hexDecode(sig))
            if (found !== (result === 'valid')) wrong.push(`${tcId} ${comment}: ${found}`)
          }
        }
        expect(wrong).toEqual([])
      },
      120_000,
    )
  })

  it('takes no PSS signature for a PKCS#1 v1.5 one', () => {
    for (const group of groupsOf('rsa_pss_2048_sha256_mgf1_32_test.json')) {
      const key = parsePublicKeyDer(hexDecode(group.publicKeyDer))
      const taken = group.tests.filter(({ msg, sig }) =>
        [nodeCrypto, nobleCrypto].some((port) => port.verify(key, RSA, hexDecode(msg), hexDecode(sig))),
      )
      // The last case is a PKCS#1 v1.5 signature, there to be refused as PSS.
      expect(taken.map(({ tcId }) => tcId)).toEqual([108])
    }
  }, 60_000)

  it('parses every key to its own bytes', () => {
    for (const [file] of FILES)
      for (const { publicKeyDer } of groupsOf(file))
        expect(hexEncode(parsePublicKeyDer(hexDecode(publicKeyDer)).spki)).toBe(publicKeyDer)
  })
}
