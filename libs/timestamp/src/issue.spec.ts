import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { compareBytes, DerReader, encodeOid, hexDecode, hexEncode } from '@touchmark/encoding'
import { encodeAlgorithm } from './algorithms.js'
import { createTimestampIssuer, encodeChainPem, type TimestampIssuerOptions } from './issue.js'
import { parseTimestampRequestJson } from './json-request.js'
import { encodeTimestampRequest, parseTimestampRequest } from './request.js'
import { parseTimestampResponse } from './response.js'
import { makeAuthority, NOW, remakeChain, type TestAuthority } from './testing/authority.js'
import { makeExtension } from './testing/certificates.js'
import { digest, MESSAGE } from './testing/forge.js'
import { recorded, recordedCases, recordedChain, recordedChainPem, type RecordedCase } from './testing/vectors.js'
import { parseTstInfo } from './tst-info.js'
import { verifyTimestamp } from './verify.js'

const HASHES = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const base = (authority: TestAuthority): TimestampIssuerOptions => ({
  signer: authority.signer,
  chain: authority.chain,
  at: NOW,
  crypto: nodeCrypto,
  random,
})

/** The reference server's command line as options. */
function optionsOf(list: readonly string[]): Partial<TimestampIssuerOptions> {
  const value = (name: string) => list.find((one) => one.startsWith(`--${name}=`))?.split('=')[1]
  const accepted = value('accepted-policy-oids')
  const chosen = value('default-policy-oid')
  return {
    includeChain: list.includes('--include-chain-in-response'),
    allowExtensions: list.includes('--allow-custom-extensions'),
    ...(accepted === undefined ? {} : { acceptedPolicies: accepted.split(',') }),
    ...(chosen === undefined ? {} : { defaultPolicy: chosen }),
  }
}

function authorityFor({ chain, signerHash }: RecordedCase): TestAuthority {
  const model = recordedChain(chain)
  const keyType = chain.startsWith('rsa') ? 'RSA-2048' : chain.startsWith('p384') ? 'P-384' : 'P-256'
  return remakeChain(model, keyType, HASHES[signerHash])
}

/** The parts of a token in the form of cases.json. */
function partsOf(der: Uint8Array): Pick<RecordedCase, 'tstInfo' | 'signedData'> {
  const token = parseTimestampResponse(der).token!
  const info = parseTstInfo(token.tstInfoBytes)
  const signer = token.signerInfos[0]!
  const fields = new DerReader(token.tstInfoBytes).sequence()
  const tail: { tag: number; content: Uint8Array }[] = []
  while (!fields.done) tail.push(fields.any())
  const content = (tag: number) => hexEncode(tail.filter((one) => one.tag === tag).at(-1)!.content)
  const nonce =
    info.nonce === undefined ? undefined : BigInt.asIntN(info.nonce.length * 8, BigInt('0x' + hexEncode(info.nonce)))
  const certificates = token.certificates ?? []
  return {
    tstInfo: {
      version: 1,
      policy: info.policy,
      hashAlgorithm: Object.entries(HASHES).find(([, name]) => name === info.hashAlgorithm)![0],
      messageImprint: hexEncode(info.digest),
      serialNumberHex: hexEncode(info.serialNumber),
      genTime: info.genTimeText,
      accuracy: hexEncode(tail.filter((one) => one.tag === 0x30)[1]!.content),
      ...(nonce === undefined ? {} : { nonce: String(nonce) }),
      tsa: content(0xa0),
      ...(info.extensions === undefined ? {} : { extensions: content(0xa1) }),
    },
    signedData: {
      version: Number(token.version),
      digestAlgorithms: `31${token.digestAlgorithms.map((one) => hexEncode(Uint8Array.of(encodeAlgorithm(one).length, ...encodeAlgorithm(one)))).join('')}`,
      certificatesFirstBytes: certificates.length === 0 ? 'a000' : 'a082',
      certificateCount: certificates.length,
      signerInfoVersion: Number(signer.version),
      signedAttributesInOrder: signer.signedAttributes.map(({ type }) => type),
      signatureAlgorithm: hexEncode(encodeAlgorithm(signer.signatureAlgorithm)),
      signingCertificateV2: hexEncode(signer.signedAttributes.at(-1)!.values[0]!),
    },
  }
}

describe('createTimestampIssuer', () => {
  it.each(recordedCases().map((one) => [one.name, one] as const))(
    'answers the request "%s" as recorded',
    async (_name, recordedCase) => {
      const authority = authorityFor(recordedCase)
      const issuer = createTimestampIssuer({ ...base(authority), ...optionsOf(recordedCase.serverOptions) })
      const bytes = recorded(recordedCase.request)
      const isJson = recordedCase.requestContentType === 'application/json'
      const genTime = parseTstInfo(parseTimestampResponse(recorded(recordedCase.response)).token!.tstInfoBytes).genTime
      const der = await issuer.issue(isJson ? parseTimestampRequestJson(bytes) : parseTimestampRequest(bytes), genTime)
      const ours = partsOf(der)
      const theirs = partsOf(recorded(recordedCase.response))
      // Ours are read as theirs are, and theirs read as the file says.
      expect(theirs.tstInfo).toEqual({ ...recordedCase.tstInfo })
      const withoutSerial = { serialNumberHex: '' }
      expect({ ...ours.tstInfo, ...withoutSerial }).toEqual({ ...recordedCase.tstInfo, ...withoutSerial })
      const hash = HASHES[recordedCase.tstInfo.hashAlgorithm as keyof typeof HASHES]
      const model = recordedChain(recordedCase.chain)[0]!
      const expected = recordedCase.signedData.signingCertificateV2.replace(
        hexEncode(digest(hash, model.der)),
        hexEncode(digest(hash, authority.chain[0]!.der)),
      )
      const { signingCertificateV2, ...signedData } = ours.signedData
      // The file holds the SET of values; ours is its one value.
      expect(expected.endsWith(signingCertificateV2)).toBe(true)
      expect(signedData).toEqual({
        ...recordedCase.signedData,
        signingCertificateV2: undefined,
        certificatesFirstBytes: recordedCase.signedData.certificatesFirstBytes.slice(0, 4),
      })
      const serial = parseTstInfo(parseTimestampResponse(der).token!.tstInfoBytes).serialNumber
      expect(serial[0]).toBeLessThan(0x80)
      expect(verifyTokenOf(der, authority, recordedCase)).toEqual(genTime)
    },
  )

  function verifyTokenOf(der: Uint8Array, authority: TestAuthority, { tstInfo }: RecordedCase): Date {
    const messages = [new TextEncoder().encode('hello'), new Uint8Array()]
    const hash = HASHES[tstInfo.hashAlgorithm as keyof typeof HASHES]
    const message = messages.find((one) => hexEncode(digest(hash, one)) === tstInfo.messageImprint)
    const port = message === undefined ? imprintIs(hexDecode(tstInfo.messageImprint)) : nodeCrypto
    const input = { response: der, message: message ?? UNKNOWN_MESSAGE, authorities: [authority.trusted], crypto: port }
    return verifyTimestamp(input).time
  }

  const UNKNOWN_MESSAGE = new TextEncoder().encode('what a client has signed is not kept')
  const imprintIs = (imprint: Uint8Array): typeof nodeCrypto => ({
    ...nodeCrypto,
    hash: (algorithm, ...parts) => (parts[0] === UNKNOWN_MESSAGE ? imprint : nodeCrypto.hash(algorithm, ...parts)),
  })

  it('makes tokens of DER and of JSON requests of equal shape', async () => {
    const issuer = createTimestampIssuer({ ...base(makeAuthority()), random: (bytes) => new Uint8Array(bytes).fill(9) })
    const der = recorded('01-sha256-bare.tsq')
    const json = recorded('11-json-minimal.json')
    const [one, two] = await Promise.all([
      issuer.issue(parseTimestampRequest(der), NOW),
      issuer.issue(parseTimestampRequestJson(json), NOW),
    ])
    expect(partsOf(one)).toEqual(partsOf(two))
  })

  it('puts the chain in DER SET OF order, and 20 random bytes as a positive serial number', async () => {
    const authority = makeAuthority()
    const serials: Uint8Array[] = []
    for (const first of [0, 0x7f, 0x80, 0xff]) {
      const fixed = (bytes: number) => new Uint8Array(bytes).fill(first, 0, 1).fill(1, 1)
      const issuer = createTimestampIssuer({ ...base(authority), includeChain: true, random: fixed })
      const request = {
        hashAlgorithm: 'SHA2_256' as const,
        digest: digest('SHA2_256', MESSAGE),
        certReq: true,
        extensions: [],
      }
      const { certificates, tstInfoBytes } = parseTimestampResponse(await issuer.issue(request, NOW)).token!
      expect(certificates?.length).toBe(3)
      expect([...certificates!].sort(compareBytes)).toEqual(certificates)
      serials.push(parseTstInfo(tstInfoBytes).serialNumber)
    }
    expect(serials.map((one) => one.length)).toEqual([19, 20, 21, 21])
    expect(serials[3]!.subarray(0, 2)).toEqual(Uint8Array.of(0, 0xff))
  })

  it.each(['P-256', 'P-384', 'P-521', 'RSA-2048', 'RSA-4096', 'Ed25519'] as const)(
    'signs with a %s key and each hash',
    async (keyType) => {
      for (const hash of Object.values(HASHES)) {
        const authority = makeAuthority({ keyType, hash })
        const issuer = createTimestampIssuer({ ...base(authority), signerHash: hash })
        const request = parseTimestampRequest(
          encodeTimestampRequest({ hashAlgorithm: hash, digest: digest(hash, MESSAGE), nonce: -5n, certReq: true }),
        )
        const response = await issuer.issue(request, NOW)
        const verified = verifyTimestamp({
          response,
          message: MESSAGE,
          authorities: [authority.trusted],
          crypto: nodeCrypto,
          nonce: -5n,
        })
        expect(verified).toMatchObject({ time: NOW, authority: 0, hashAlgorithm: hash })
      }
    },
  )

  it('cuts the time to whole seconds', async () => {
    const issuer = createTimestampIssuer(base(makeAuthority()))
    const request = parseTimestampRequest(recorded('01-sha256-bare.tsq'))
    const der = await issuer.issue(request, new Date('2026-11-22T16:22:34.999Z'))
    expect(parseTstInfo(parseTimestampResponse(der).token!.tstInfoBytes).genTimeText).toBe('20261122162234Z')
  })

  it('refuses a policy that is not accepted, before extensions; the default policy is not implied', async () => {
    const extensions = [makeExtension('1.2.3.4', new Uint8Array())]
    const request = { hashAlgorithm: 'SHA2_256' as const, digest: new Uint8Array(32), certReq: false, extensions }
    const issuer = createTimestampIssuer({
      ...base(makeAuthority()),
      acceptedPolicies: ['1.2.3.4.1'],
      defaultPolicy: '1.2.3.4.9',
    })
    await expect(issuer.issue({ ...request, policy: '1.2.3.4.9' }, NOW)).rejects.toThrowCode(
      'TIMESTAMP_REQUEST_POLICY_UNACCEPTED',
    )
    await expect(issuer.issue(request, NOW)).rejects.toThrowCode('TIMESTAMP_REQUEST_EXTENSION_UNACCEPTED')
    const der = await issuer.issue({ ...request, policy: '1.2.3.4.1', extensions: [] }, NOW)
    expect(parseTstInfo(parseTimestampResponse(der).token!.tstInfoBytes).policy).toBe('1.2.3.4.1')
  })

  it('signs nothing when a certificate of its chain is not valid now', async () => {
    const notAfter = new Date('2027-01-01T00:00:00Z')
    const issuer = createTimestampIssuer(base(makeAuthority({ root: { notAfter } })))
    const request = parseTimestampRequest(recorded('01-sha256-bare.tsq'))
    await expect(issuer.issue(request, new Date(notAfter.getTime() + 1000))).rejects.toThrowCode(
      'TIMESTAMP_SIGNING_FAILED',
    )
    await expect(issuer.issue(request, new Date('2020-01-01'))).rejects.toThrowCode('TIMESTAMP_SIGNING_FAILED')
  })

  it('reports a key that cannot sign', async () => {
    const authority = makeAuthority()
    const cause = new Error('the key is away')
    const signer = { ...authority.signer, publicKey: authority.signer.publicKey, sign: () => Promise.reject(cause) }
    const issuer = createTimestampIssuer({ ...base(authority), signer })
    const request = parseTimestampRequest(recorded('01-sha256-bare.tsq'))
    await expect(issuer.issue(request, NOW)).rejects.toMatchObject({ code: 'TIMESTAMP_SIGNING_FAILED', cause })
  })

  it('refuses settings that it could not keep', () => {
    const authority = makeAuthority()
    expect(() => createTimestampIssuer({ ...base(authority), defaultPolicy: '9.9' })).toThrowCode(
      'TIMESTAMP_SETTINGS_INVALID',
    )
    expect(() => createTimestampIssuer({ ...base(authority), acceptedPolicies: ['x'] })).toThrowCode(
      'TIMESTAMP_SETTINGS_INVALID',
    )
    const signer = {
      ...authority.signer,
      publicKey: authority.signer.publicKey,
      scheme: { kind: 'ed25519ph' as const },
    }
    expect(() => createTimestampIssuer({ ...base(authority), signer })).toThrowCode('TIMESTAMP_SETTINGS_INVALID')
    expect(() => createTimestampIssuer({ ...base(authority), chain: authority.chain.slice(0, 1) })).toThrowCode(
      'TIMESTAMP_CHAIN_TOO_SHORT',
    )
  })

  it('serves a chain as recorded', () => {
    expect(encodeChainPem(recordedChain('p256'))).toBe(recordedChainPem('p256'))
    expect(encodeOid('1.3.6.1.4.1.57264.2')).toEqual(hexDecode('2b0601040183bf3002'))
  })
})
