import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { base64Decode, derOctetString, equalBytes, hexDecode, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { parseCertificate } from './certificate.js'
import * as encode from './encode.js'
import { EXTENSION_OID } from './oids.js'
import { precertTbs } from './precert.js'
import {
  ctLogId,
  embeddedScts,
  encodeSct,
  encodeSctExtension,
  encodeSctList,
  parseSct,
  parseSctList,
  precertEntryOf,
  sctSignedData,
  signSct,
  verifyEmbeddedSct,
  verifySct,
} from './sct.js'
import type { SignedCertificateTimestamp } from './sct.js'
import type { CtEntry } from './ct-entry.js'
import { entity, P256 } from './testing/certificates.js'
import { recordedCertificates } from './testing/fulcio-vectors.js'

const recorded = recordedCertificates()
const logged = recorded.filter(({ logKey }) => logKey !== undefined)
const crypto = nodeCrypto
const ENTRY: CtEntry = { type: 'precert', issuerKeyHash: new Uint8Array(32).fill(7), tbs: Uint8Array.of(0x30, 0) }

describe('recorded SCTs', () => {
  it('are in all but those of the server without a log', () =>
    expect([logged.length, recorded.length]).toEqual([21, 28]))

  it.each(logged)('$name verifies', ({ leaf, chain, logKey, time }) => {
    const sct = verifyEmbeddedSct({ leaf, issuer: chain[0]!, logKey: logKey!, crypto })
    expect(Math.abs(sct.timestampMs - new Date(time).getTime())).toBeLessThan(2000)
    expect(hexEncode(encodeSctExtension([sct]))).toBe(hexEncode(leaf.extensions.get(EXTENSION_OID.sctList)!.value))
  })

  it.each(recorded.filter(({ ctRequest }) => ctRequest !== undefined))(
    '$name: the TBS is that of the recorded precertificate without its poison',
    ({ leaf, ctRequest }) => {
      const precertificate = parseCertificate(base64Decode(ctRequest!.body.chain[0]!))
      expect(equalBytes(precertTbs(precertificate), precertTbs(leaf))).toBe(true)
    },
  )
})

describe('an SCT is refused', () => {
  const { leaf, chain, logKey } = logged.find(({ name }) => name === 'v2-email-issuer-claim')!
  const good = { leaf, issuer: chain[0]!, logKey: logKey!, crypto }

  it('when there is none', () => {
    const bare = recorded.find(({ name }) => name === 'v2-email-no-ct')!.leaf
    expect(() => verifyEmbeddedSct({ ...good, leaf: bare })).toThrowCode('X509_SCT_MISSING')
  })
  it('of another log', () => {
    const other = generateSigner(P256).publicKey
    expect(() => verifyEmbeddedSct({ ...good, logKey: other })).toThrowCode('X509_SCT_UNKNOWN_LOG')
  })
  it('of another issuer key', () => {
    expect(() => verifyEmbeddedSct({ ...good, issuer: chain[1]! })).toThrowCode('X509_SCT_SIGNATURE')
  })
  it('of another certificate', () => {
    const [sct] = embeddedScts(leaf)
    const entry = precertEntryOf(logged.find(({ name }) => name === 'v2-spiffe')!.leaf, chain[0]!, crypto)
    expect(() => verifySct({ sct: sct!, entry, logKey: logKey!, crypto })).toThrowCode('X509_SCT_SIGNATURE')
  })
  it('with another time, other extensions, another algorithm', () => {
    const [sct] = embeddedScts(leaf)
    const entry = precertEntryOf(leaf, chain[0]!, crypto)
    const changed = (change: Partial<SignedCertificateTimestamp>): void =>
      expect(() => verifySct({ sct: { ...sct!, ...change }, entry, logKey: logKey!, crypto })).toThrowCode(
        'X509_SCT_SIGNATURE',
      )
    changed({ timestampMs: sct!.timestampMs + 1 })
    changed({ extensions: Uint8Array.of(0) })
    changed({ signature: { ...sct!.signature, hash: 5 } })
    changed({ signature: { ...sct!.signature, algorithm: 1 } })
    changed({ signature: { ...sct!.signature, bytes: new Uint8Array() } })
  })
})

describe('several SCTs', () => {
  it('one good one of the log is enough; a bad one of it is told before an unknown one', async () => {
    const log = generateSigner(P256)
    const [sct] = embeddedScts(logged[0]!.leaf)
    const issuer = await entity({ name: 'ca', extensions: [encode.caConstraints(0)] })
    const make = async (scts: SignedCertificateTimestamp[]) => {
      const extensions = [
        encode.KEY_USAGE_SIGNATURE,
        encode.extension(EXTENSION_OID.sctList, false, encodeSctExtension(scts)),
      ]
      return (await entity({ name: 'leaf', issuedBy: issuer, extensions, signer: log })).certificate
    }
    const entry = precertEntryOf(await make([sct!]), issuer.certificate, crypto)
    const ours = await signSct({ timestampMs: 1, entry }, log, crypto)
    const bad = { ...ours, timestampMs: 2 }
    const check = async (scts: SignedCertificateTimestamp[]) => {
      const leaf = await make(scts)
      return () => verifyEmbeddedSct({ leaf, issuer: issuer.certificate, logKey: log.publicKey, crypto })
    }
    expect((await check([sct!, bad, ours]))().timestampMs).toBe(1)
    expect(await check([bad, sct!])).toThrowCode('X509_SCT_SIGNATURE')
    expect(await check([sct!])).toThrowCode('X509_SCT_UNKNOWN_LOG')
  })
})

describe('signing', () => {
  it('makes an SCT that verifies, over exactly the entry', async () => {
    const log = generateSigner(P256)
    const sct = await signSct({ timestampMs: 1_700_000_000_000, entry: ENTRY }, log, crypto)
    expect(() => verifySct({ sct, entry: ENTRY, logKey: log.publicKey, crypto })).not.toThrow()
    expect(sct).toMatchObject({ version: 0, timestampMs: 1_700_000_000_000, signature: { hash: 4, algorithm: 3 } })
    expect(equalBytes(sct.logId, ctLogId(log.publicKey, crypto))).toBe(true)
    expect(sct.extensions).toHaveLength(0)
  })
  it('with an RSA key too', async () => {
    const log = generateSigner({ kind: 'rsa', modulusBits: 2048 })
    const sct = await signSct({ timestampMs: 1, entry: ENTRY, extensions: hexDecode('0000050000000001') }, log, crypto)
    expect(() => verifySct({ sct, entry: ENTRY, logKey: log.publicKey, crypto })).not.toThrow()
    expect(sct.signature.algorithm).toBe(1)
  })
  it('refuses a key that no client takes', async () => {
    for (const type of [{ kind: 'ecdsa', curve: 'P-384' }, { kind: 'ed25519' }] as const)
      await expect(signSct({ timestampMs: 1, entry: ENTRY }, generateSigner(type), crypto)).rejects.toThrowCode(
        'X509_ALGORITHM_UNSUPPORTED',
      )
  })
})

describe('encoding', () => {
  const sct: SignedCertificateTimestamp = {
    version: 0,
    logId: new Uint8Array(32).fill(0xab),
    timestampMs: 0x0102030405,
    extensions: Uint8Array.of(9),
    signature: { hash: 4, algorithm: 3, bytes: Uint8Array.of(1, 2) },
  }
  it('is that of ca.md §10', () => {
    expect(hexEncode(encodeSct(sct))).toBe(`00${'ab'.repeat(32)}000000010203040500010904030002${'0102'}`)
    expect(hexEncode(encodeSctList([sct]))).toBe(`00340032${hexEncode(encodeSct(sct))}`)
    expect(hexEncode(sctSignedData(sct, ENTRY))).toBe(`000000000001020304050001${'07'.repeat(32)}0000023000000109`)
    expect(hexEncode(sctSignedData(sct, { type: 'x509', certificate: Uint8Array.of(5) }))).toBe(
      '0000000000010203040500000000010500' + '0109',
    )
  })
  it('of a list comes back', () => expect(parseSctList(encodeSctList([sct, sct]))).toEqual([sct, sct]))

  const refused = (bytes: Uint8Array): void => expect(() => parseSctList(bytes)).toThrowCode('X509_SCT_MALFORMED')
  it('refuses an empty list, an empty SCT, a wrong length, more than 32', () => {
    refused(new Uint8Array())
    refused(hexDecode('0000'))
    refused(hexDecode('00020000'))
    refused(Uint8Array.of(...encodeSctList([sct]), 0))
    refused(encodeSctList([sct]).subarray(0, -1))
    refused(encodeSctList(Array.from({ length: 33 }, () => sct)))
    expect(parseSctList(encodeSctList(Array.from({ length: 32 }, () => sct)))).toHaveLength(32)
  })
  it('refuses another version, a cut, a byte too many, a time beyond dates', () => {
    const bytes = encodeSct(sct)
    const change = (at: number, to: number): Uint8Array => bytes.map((byte, i) => (i === at ? to : byte))
    for (const bad of [
      change(0, 1),
      bytes.subarray(0, -1),
      Uint8Array.of(...bytes, 0),
      change(33, 1),
      change(41, 0xff),
    ])
      expect(() => parseSct(bad)).toThrowCode('X509_SCT_MALFORMED')
  })
  it('refuses an extension that is no OCTET STRING', async () => {
    const list = hexEncode(derOctetString(encodeSctList([sct]))) + '00'
    const extensions = [encode.extension(EXTENSION_OID.sctList, false, hexDecode(list))]
    const { certificate } = await entity({ name: 'x', extensions })
    expect(() => embeddedScts(certificate)).toThrowCode('X509_SCT_MALFORMED')
  })

  it('any bytes: a coded error, or a list that is these bytes', () => {
    const good = encodeSctList([sct, sct])
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 150 }),
      fc
        .record({ at: fc.nat(good.length - 1), to: fc.nat(255) })
        .map(({ at, to }) => good.map((b, i) => (i === at ? to : b))),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          expect(equalBytes(encodeSctList(parseSctList(input)), input)).toBe(true)
        } catch (error) {
          if (!isCodedError(error)) throw error
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('precertTbs', () => {
  it('needs exactly one of SCT list and poison', async () => {
    const list = encode.extension(EXTENSION_OID.sctList, false, encodeSctExtension(embeddedScts(logged[0]!.leaf)))
    const make = async (extensions: Uint8Array[]) => (await entity({ name: 'x', extensions })).certificate
    const bare = await make([encode.KEY_USAGE_SIGNATURE])
    const both = await make([list, encode.POISON])
    expect(() => precertTbs(bare)).toThrowCode('X509_PRECERT_INVALID')
    expect(() => precertTbs(both)).toThrowCode('X509_PRECERT_INVALID')
  })
  it('takes the extension out wherever it stands, and an extension field that is left empty with it', async () => {
    const signer = generateSigner(P256)
    const make = async (extensions: Uint8Array[] | undefined) =>
      (await entity({ name: 'x', extensions, signer })).certificate
    const usage = encode.KEY_USAGE_SIGNATURE
    const other = encode.extKeyUsage('codeSigning', false)
    const wanted = (await make([usage, other])).tbs
    for (const extensions of [
      [encode.POISON, usage, other],
      [usage, encode.POISON, other],
      [usage, other, encode.POISON],
    ])
      expect(hexEncode(precertTbs(await make(extensions)))).toBe(hexEncode(wanted))
    expect(hexEncode(precertTbs(await make([encode.POISON])))).toBe(hexEncode((await make(undefined)).tbs))
  })
})
