import { beforeAll, describe, expect, it } from '@jest/globals'
import { base64Encode, pemEncode, utf8Encode } from '@touchmark/encoding'
import type { Signed } from './testing/signing.js'
import { form, FORMS } from './testing/signing.js'
import { verifySigned } from './testing/verifying.js'
import { ATT, make, prepareWorkshop, relogged, root, V1, V2 } from './testing/workshop.js'

beforeAll(prepareWorkshop)

const DSSE_V1 = '0.3 attestation, v1'
const INTOTO = '0.2 attestation, v1 intoto'
const DSSE_V2 = '0.3 attestation, v2 dsse'
const zeros = base64Encode(new Uint8Array(32))
const pem64 = (label: string, der: Uint8Array): string => base64Encode(utf8Encode(pemEncode(label, der)))
const first = (text: string, pattern: RegExp): string => pattern.exec(text)![0]

/** A log that really has the changed leaf, under a right proof: the comparison with the bundle alone can refuse. */
const CHANGES: [string, string, string, (text: string, signed: Signed) => string][] = [
  [V2, 'another digest', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace(/"digest":"[^"]*"/, `"digest":"${zeros}"`)],
  [V2, 'another algorithm', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('SHA2_256', 'SHA2_384')],
  [
    V2,
    'another signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"content":"[^"]*"/, `"content":"${zeros}"`),
  ],
  [
    V2,
    'another certificate',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"rawBytes":"[^"]*"/, `"rawBytes":"${zeros}"`),
  ],
  [
    V2,
    'other key details',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ECDSA_P384_SHA_384'),
  ],
  [
    V2,
    'the key in place of the certificate',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace('x509Certificate', 'publicKey'),
  ],
  [V2, 'a member more', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('{', '{"aaa":1,')],
  [V2, 'white space', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('{', '{ ')],
  [
    V2,
    'another order',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace('"apiVersion":"0.0.2","kind":"hashedrekord"', '"kind":"hashedrekord","apiVersion":"0.0.2"'),
  ],
  [
    V2,
    'the kind of a v1 entry',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace('"apiVersion":"0.0.2"', '"apiVersion":"0.0.1"'),
  ],
  [ATT, 'another digest', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace(/"digest":"[^"]*"/, `"digest":"${zeros}"`)],
  [
    DSSE_V2,
    'another payload hash',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"digest":"[^"]*"/, `"digest":"${zeros}"`),
  ],
  [
    DSSE_V2,
    'a second signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"signatures":\[(.*)\]/, '"signatures":[$1,$1]'),
  ],
  [
    DSSE_V2,
    'other key details',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ED25519'),
  ],
  [V1, 'another kind', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('"kind":"hashedrekord"', '"kind":"rekord"')],
  [V1, 'another version', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('"0.0.1"', '"0.0.2"')],
  [V1, 'no kind', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('"kind"', '"kinder"')],
  [
    V1,
    'another hash',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"value":"[^"]*"/, `"value":"${'00'.repeat(32)}"`),
  ],
  [V1, 'another hash algorithm', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('sha256', 'sha512')],
  [
    V1,
    'another signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"content":"[^"]*"/, `"content":"${zeros}"`),
  ],
  [
    V1,
    'another certificate',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"content":"LS0t[^"]*"/, `"content":"${pem64('CERTIFICATE', new Uint8Array(9))}"`),
  ],
  [
    V1,
    'the key in place of the certificate',
    'VERIFY_ENTRY_MISMATCH',
    (text, { signer }) =>
      text.replace(/"content":"LS0t[^"]*"/, `"content":"${pem64('PUBLIC KEY', signer.publicKey.spki)}"`),
  ],
  [
    V1,
    'the certificate under another label',
    'VERIFY_ENTRY_MISMATCH',
    (text, { certificate }) =>
      text.replace(/"content":"LS0t[^"]*"/, `"content":"${pem64('PUBLIC KEY', certificate.der)}"`),
  ],
  [V1, 'no key at all', 'VERIFY_ENTRY_INVALID', (text) => text.replace(/"content":"LS0t[^"]*"/, '"content":""')],
  [
    V1,
    'eleven certificates',
    'VERIFY_ENTRY_INVALID',
    (text, { certificate }) =>
      text.replace(
        /"content":"LS0t[^"]*"/,
        `"content":"${base64Encode(utf8Encode(pemEncode('CERTIFICATE', certificate.der).repeat(11)))}"`,
      ),
  ],
  [
    DSSE_V1,
    'another payload hash',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/("payloadHash":\{"algorithm":"sha256","value":")[^"]*/, `$1${'00'.repeat(32)}`),
  ],
  [
    DSSE_V1,
    'another payload hash algorithm',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace('"payloadHash":{"algorithm":"sha256"', '"payloadHash":{"algorithm":"sha1"'),
  ],
  [
    DSSE_V1,
    'another signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"signature":"[^"]*"/, `"signature":"${zeros}"`),
  ],
  [
    DSSE_V1,
    'another certificate',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"verifier":"[^"]*"/, `"verifier":"${pem64('CERTIFICATE', new Uint8Array(9))}"`),
  ],
  [
    DSSE_V1,
    'a second signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"signatures":\[(.*)\]/, '"signatures":[$1,$1]'),
  ],
  [DSSE_V1, 'no signature', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace(/"signatures":\[.*\]/, '"signatures":[]')],
  [DSSE_V1, 'no payload hash', 'VERIFY_ENTRY_INVALID', (text) => text.replace('"payloadHash"', '"payloadHas"')],
  [
    INTOTO,
    'another payload hash',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/("payloadHash":\{"algorithm":"sha256","value":")[^"]*/, `$1${'00'.repeat(32)}`),
  ],
  [INTOTO, 'another payload type', 'VERIFY_ENTRY_MISMATCH', (text) => text.replace('vnd.in-toto', 'vnd.in-tota')],
  [
    INTOTO,
    'another signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"sig":"[^"]*"/, `"sig":"${base64Encode(utf8Encode(zeros))}"`),
  ],
  [
    INTOTO,
    'a signature that is encoded once',
    'VERIFY_ENTRY_INVALID',
    (text) => text.replace(/"sig":"[^"]*"/, `"sig":"${zeros}"`),
  ],
  [
    INTOTO,
    'another certificate',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"publicKey":"[^"]*"/, `"publicKey":"${pem64('CERTIFICATE', new Uint8Array(9))}"`),
  ],
  [
    INTOTO,
    'a second signature',
    'VERIFY_ENTRY_MISMATCH',
    (text) => text.replace(/"signatures":\[(.*)\]/, '"signatures":[$1,$1]'),
  ],
]

describe('a log entry', () => {
  it.each(CHANGES)('%s: with %s is refused: %s', async (name, _what, code, change) => {
    const signed = await make(name)
    const bundle = await relogged(signed, (text) => {
      const changed = change(text, signed)
      expect(changed).not.toBe(text)
      return changed
    })
    expect(() => verifySigned(signed, root, { bundle })).toThrowCode(code)
  })

  it.each(FORMS.filter(({ proof }) => proof).map(({ name }) => name))(
    '%s: logged again unchanged is accepted',
    async (name) => {
      const signed = await make(name)
      expect(verifySigned(signed, root, { bundle: await relogged(signed, (text) => text) }).logEntries).toHaveLength(1)
    },
  )

  it.each<[string, string, (text: string, signed: Signed) => string]>([
    [
      V1,
      'a hash in capital letters',
      (text) =>
        text.replace(
          first(text, /"value":"[^"]*"/),
          first(text, /"value":"[^"]*"/)
            .toUpperCase()
            .replace('"VALUE"', '"value"'),
        ),
    ],
    [
      V1,
      'a chain behind the certificate',
      (text, { certificate }) =>
        text.replace(
          /"content":"LS0t[^"]*"/,
          `"content":"${base64Encode(utf8Encode(pemEncode('CERTIFICATE', certificate.der).repeat(2)))}"`,
        ),
    ],
    [V1, 'a member that is not known', (text) => text.replace('"spec":{', '"spec":{"more":1,')],
    [
      INTOTO,
      "another client's own hash",
      (text) => text.replace(/"hash":\{[^}]*\}/, '"hash":{"algorithm":"x","value":"y"}'),
    ],
    [
      DSSE_V1,
      'another envelope hash',
      (text) => text.replace(/"envelopeHash":\{[^}]*\}/, '"envelopeHash":{"algorithm":"x","value":"y"}'),
    ],
  ])('%s: may have %s', async (name, _what, change) => {
    const signed = await make(name)
    const bundle = await relogged(signed, (text) => change(text, signed))
    expect(verifySigned(signed, root, { bundle }).logEntries).toHaveLength(1)
  })

  it('by an Ed25519 key may declare it under either name in a dsse entry, and only Ed25519ph in a hashedrekord', async () => {
    const keyType = { kind: 'ed25519' } as const
    const attestation = await make(DSSE_V2, { keyType })
    const pure = (text: string): string => text.replace('PKIX_ED25519_PH', 'PKIX_ED25519')
    expect(verifySigned(attestation, root, { bundle: await relogged(attestation, pure) }).logEntries).toHaveLength(1)
    const message = await make(V2, { keyType })
    const bundle = await relogged(message, pure)
    expect(() => verifySigned(message, root, { bundle })).toThrowCode('VERIFY_ENTRY_MISMATCH')
  })

  it('says which member differs, what it should be and what it is', async () => {
    const signed = await make(V2)
    const bundle = await relogged(signed, (text) => text.replace('"SHA2_256"', '"SHA2_384"'))
    let details: unknown
    try {
      verifySigned(signed, root, { bundle })
    } catch (error) {
      details = (error as { details: unknown }).details
    }
    expect(details).toMatchObject({ expected: 'SHA2_256', found: 'SHA2_384' })
    expect(form(V2).entry).toBe('hashedrekord 0.0.2')
  })
})
