import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { equalBytes, hexDecode, hexEncode } from '@touchmark/encoding'
import { CodedError } from '@touchmark/errors'
import type { Signer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import type { Principal } from '@touchmark/identity'
import {
  assembleCertificate,
  buildChain,
  buildIntermediateCertificate,
  buildRootCertificate,
  buildTsaLeaf,
  fulcioExtensions,
  parseCertificate,
  parseCertificatesPem,
  precertTbs,
  signSct,
  verifyEmbeddedSct,
} from '@touchmark/x509'
import type { Certificate, SignedCertificateTimestamp } from '@touchmark/x509'
import { createIssuer } from './certificate-issuer.js'
import type { CertificateIssuer, Issued, IssuerOptions } from './certificate-issuer.js'
import type { PreChain, PrecertificateLog } from './precertificate-log.js'

const P256 = { kind: 'ecdsa', curve: 'P-256' } as const
const NOW = '2026-06-01T12:00:00.750Z'
const DATES = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2031-01-01T00:00:00Z') }
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const subject = { organization: 'example.org', commonName: 'touchmark' }

const rootKey = generateSigner(P256)
const caKey = generateSigner(P256)
const logKey = generateSigner(P256)
const holder = generateSigner(P256).publicKey
const PRINCIPAL: Principal = {
  name: 'dev@example.com',
  subject: { type: 'email', value: 'dev@example.com' },
  extensions: { tokenSubject: 'CgNkZXY' },
  issuer: 'https://issuer.example.com',
}

let root: Certificate
let ca: Certificate
beforeAll(async () => {
  root = parseCertificate(
    await buildRootCertificate({ subject: { ...subject, commonName: 'root' }, ...DATES, signer: rootKey, random }),
  )
  ca = parseCertificate(
    await buildIntermediateCertificate({
      subject,
      ...DATES,
      signer: rootKey,
      random,
      key: caKey.publicKey,
      issuer: root,
      purpose: 'codeSigning',
    }),
  )
})

/** A certificate log that keeps what it is given and signs for it. */
class RecordingLog implements PrecertificateLog {
  readonly entries: PreChain[] = []
  constructor(
    readonly clock: ManualClock,
    readonly answer: (sct: SignedCertificateTimestamp, input: PreChain) => unknown = (sct) => sct,
  ) {}
  async addPreChain(input: PreChain): Promise<SignedCertificateTimestamp> {
    this.entries.push(input)
    const entry = { type: 'precert', issuerKeyHash: input.issuerKeyHash, tbs: input.tbs } as const
    const sct = await signSct({ timestampMs: this.clock.now().getTime(), entry }, logKey, nodeCrypto)
    return (await this.answer(sct, input)) as SignedCertificateTimestamp
  }
}

interface House {
  issuer: CertificateIssuer
  log: RecordingLog
  clock: ManualClock
}

function house(changes: Partial<IssuerOptions> = {}, answer?: RecordingLog['answer']): House {
  const clock = new ManualClock(NOW)
  const log = new RecordingLog(clock, answer)
  const parts = { signer: caKey, chain: [ca, root], log, logKey: logKey.publicKey, crypto: nodeCrypto, clock, random }
  return { issuer: createIssuer({ ...parts, ...changes }), log, clock }
}

async function all(issuer: CertificateIssuer, principal = PRINCIPAL): Promise<Issued> {
  const linted = issuer.lint(issuer.prepare(principal, holder))
  return issuer.issue(await issuer.record(linted))
}

/** A signer that fails, or signs wrongly, at its n-th use. */
function faulty(at: number, fault: (good: Uint8Array) => Uint8Array): Signer {
  let use = 0
  const sign = async (message: Uint8Array): Promise<Uint8Array> => {
    const signature = await caKey.sign(message)
    return ++use === at ? fault(signature) : signature
  }
  return { publicKey: caKey.publicKey, scheme: caKey.scheme, sign }
}
const broken = (): never => {
  throw new CodedError('CRYPTO_SIGN_FAILED', 'token removed')
}

describe('an issued certificate', () => {
  it('verifies: chain, purpose, SCT of our log, names and extensions', async () => {
    const { issuer } = house()
    const { certificate, der, sct, serialHex } = await all(issuer)
    const at = new Date('2026-06-01T12:05:00Z')
    const path = { intermediates: [ca], roots: [root], at, purpose: 'codeSigning', crypto: nodeCrypto } as const
    expect(buildChain({ leaf: certificate, ...path })).toHaveLength(3)
    const found = verifyEmbeddedSct({ leaf: certificate, issuer: ca, logKey: logKey.publicKey, crypto: nodeCrypto })
    expect(found).toEqual(sct)
    expect(certificate.san).toEqual([PRINCIPAL.subject])
    expect(fulcioExtensions(certificate)).toMatchObject({ issuer: PRINCIPAL.issuer, values: PRINCIPAL.extensions })
    expect(equalBytes(certificate.spki, holder.spki)).toBe(true)
    expect(certificate.serialHex).toBe(serialHex)
    expect(equalBytes(parseCertificate(der).der, der)).toBe(true)
  })
  it('is valid from this second, rounded down, for 600 s', async () => {
    const { certificate } = await all(house().issuer)
    expect(certificate.notBefore.toISOString()).toBe('2026-06-01T12:00:00.000Z')
    expect(certificate.notAfter.toISOString()).toBe('2026-06-01T12:10:00.000Z')
  })
  it('comes with its chain in PEM, leaf first, root last', async () => {
    const { issuer } = house()
    const { chainPem, certificate } = await all(issuer)
    const parsed = parseCertificatesPem(chainPem.join(''))
    expect(parsed.map((one) => one.serialHex)).toEqual([certificate, ca, root].map((one) => one.serialHex))
    expect(chainPem.every((pem) => pem.endsWith('-----END CERTIFICATE-----\n'))).toBe(true)
    expect(chainPem.slice(1)).toEqual(issuer.chainPem)
  })
  it('is its precertificate with the SCT list in place of the poison, and the log has that one', async () => {
    const { issuer, log } = house()
    const { certificate } = await all(issuer)
    const [entry] = log.entries
    const precertificate = parseCertificate(entry!.precertificate)
    expect(hexEncode(precertTbs(certificate))).toBe(hexEncode(precertTbs(precertificate)))
    expect(hexEncode(entry!.tbs)).toBe(hexEncode(precertTbs(certificate)))
    expect(equalBytes(entry!.issuerKeyHash, nodeCrypto.hash('SHA2_256', ca.spki))).toBe(true)
    expect(entry!.chain).toEqual([ca.der, root.der])
    expect(log.entries).toHaveLength(1)
  })
  it('is made below a self-signed CA without intermediate too', async () => {
    const { certificate } = await all(house({ signer: rootKey, chain: [root] }).issuer)
    expect(equalBytes(certificate.issuer, root.subject)).toBe(true)
  })
  it.each([
    { kind: 'ecdsa', curve: 'P-384' },
    { kind: 'rsa', modulusBits: 2048 },
  ] as const)('is made by a CA key of another kind: $kind', async (type) => {
    const signer = generateSigner(type)
    const der = await buildRootCertificate({ subject, ...DATES, signer, random })
    const { certificate } = await all(house({ signer, chain: [parseCertificate(der)] }).issuer)
    expect(certificate.signatureAlgorithm.scheme).toEqual(signer.scheme)
  })
})

describe('steps cannot be left out, swapped or repeated', () => {
  it('at compile time', () => {
    const { issuer } = house()
    const never = (): void => {
      const prepared = issuer.prepare(PRINCIPAL, holder)
      const linted = issuer.lint(prepared)
      // @ts-expect-error what is not linted cannot be recorded
      void issuer.record(prepared)
      // @ts-expect-error what is not logged cannot be issued
      void issuer.issue(linted)
      // @ts-expect-error nor what was only prepared
      void issuer.issue(prepared)
    }
    expect(never).toBeDefined()
  })
  it('at run time: each ticket is good once', async () => {
    const { issuer, log } = house()
    const prepared = issuer.prepare(PRINCIPAL, holder)
    const linted = issuer.lint(prepared)
    expect(() => issuer.lint(prepared)).toThrowCode('CA_STEP_REPEATED')
    const logged = await issuer.record(linted)
    await expect(issuer.record(linted)).rejects.toThrowCode('CA_STEP_REPEATED')
    await issuer.issue(logged)
    await expect(issuer.issue(logged)).rejects.toThrowCode('CA_STEP_REPEATED')
    expect(log.entries).toHaveLength(1)
  })
  it('at run time: a ticket of another step, of another issuer, or made by hand', async () => {
    const { issuer } = house()
    const other = house().issuer
    const linted = issuer.lint(issuer.prepare(PRINCIPAL, holder))
    await expect(issuer.issue(linted as never)).rejects.toThrowCode('CA_STEP_REPEATED')
    await expect(other.record(linted)).rejects.toThrowCode('CA_STEP_REPEATED')
    await expect(issuer.issue({ ...linted } as never)).rejects.toThrowCode('CA_STEP_REPEATED')
  })
  it('and a failed step cannot be tried again with the same ticket', async () => {
    const { issuer } = house({ signer: faulty(1, broken) })
    const linted = issuer.lint(issuer.prepare(PRINCIPAL, holder))
    await expect(issuer.record(linted)).rejects.toThrowCode('CA_SIGNING_FAILED')
    await expect(issuer.record(linted)).rejects.toThrowCode('CA_STEP_REPEATED')
  })
})

describe('refusals before anything is signed', () => {
  it('a subject outside ASCII, in the words of the reference', () => {
    const principal = { ...PRINCIPAL, subject: { type: 'email', value: 'ü@example.com' } } as const
    const prepare = (): unknown => house().issuer.prepare(principal, holder)
    expect(prepare).toThrowCode('CA_SAN_NOT_IA5')
    expect(prepare).toThrow('x509: "ü@example.com" cannot be encoded as an IA5String')
  })
  it('an empty issuer, in the words of the reference', () => {
    const prepare = (): unknown => house().issuer.prepare({ ...PRINCIPAL, issuer: '' }, holder)
    expect(prepare).toThrowCode('CA_ISSUER_EMPTY')
    expect(prepare).toThrow('extensions must have a non-empty issuer url')
  })
  it('a subject that is empty or half a character', () => {
    for (const value of ['', 'a\ud800']) {
      const principal = { ...PRINCIPAL, subject: { type: 'otherName', value } } as const
      expect(() => house().issuer.prepare(principal, holder)).toThrowCode('CA_SAN_INVALID')
    }
  })
  it('extensions that make it larger than a log can hold', async () => {
    const sized = (length: number): Principal => ({ ...PRINCIPAL, extensions: { tokenSubject: 'x'.repeat(length) } })
    expect(() => house().issuer.prepare(sized(33_000), holder)).toThrowCode('CA_CERTIFICATE_TOO_LARGE')
    expect((await all(house().issuer, sized(32_000))).der.length).toBeGreaterThan(32_000)
  })
  it('a key that is too weak', () => {
    const { issuer } = house()
    const weak = generateSigner({ kind: 'rsa', modulusBits: 1024 }).publicKey
    expect(() => issuer.lint(issuer.prepare(PRINCIPAL, weak))).toThrowCode('CA_LINT_FAILED')
  })
  it.each([
    ['before the chain begins', '2025-12-31T23:59:59Z'],
    ['so late that it would outlive the chain', '2030-12-31T23:50:01Z'],
  ])('a time %s', (_, time) => {
    const { issuer, clock } = house()
    clock.set(time)
    expect(() => issuer.prepare(PRINCIPAL, holder)).toThrowCode('CA_CHAIN_EXPIRED')
  })
  it('the last second at which the chain holds is fine', async () => {
    const { issuer, clock } = house()
    clock.set('2030-12-31T23:50:00Z')
    expect((await all(issuer)).certificate.notAfter.toISOString()).toBe('2031-01-01T00:00:00.000Z')
  })
  it('a random source that gives zeros or too little', () => {
    for (const source of [(n: number) => new Uint8Array(n), () => new Uint8Array(8).fill(1)])
      expect(() => house({ random: source }).issuer.prepare(PRINCIPAL, holder)).toThrowCode('X509_PROFILE_INVALID')
  })
})

describe('failures of each step (CA1): nothing is handed out', () => {
  it('the key fails at the precertificate: nothing was logged', async () => {
    const { issuer, log } = house({ signer: faulty(1, broken) })
    await expect(all(issuer)).rejects.toThrowCode('CA_SIGNING_FAILED')
    expect(log.entries).toHaveLength(0)
  })
  it('the log refuses', async () => {
    const { issuer } = house({}, () => Promise.reject(new Error('connect ECONNREFUSED')))
    await expect(all(issuer)).rejects.toThrowCode('CA_CT_LOG_FAILED')
  })
  it('the log does not answer in time, and is told that nobody waits', async () => {
    const { issuer, log } = house({ logDeadlineMs: 20 }, () => new Promise(() => undefined))
    await expect(all(issuer)).rejects.toThrowCode('CA_CT_LOG_FAILED')
    expect(log.entries[0]!.signal.aborted).toBe(true)
  })
  it('the key fails at the certificate: the entry stays, the certificate does not exist', async () => {
    const { issuer, log } = house({ signer: faulty(2, broken) })
    await expect(all(issuer)).rejects.toThrowCode('CA_SIGNING_FAILED')
    expect(log.entries).toHaveLength(1)
  })
  it('the key signs the certificate wrongly', async () => {
    const flip = (good: Uint8Array): Uint8Array => good.map((byte, i) => (i === good.length - 1 ? byte ^ 1 : byte))
    await expect(all(house({ signer: faulty(2, flip) }).issuer)).rejects.toThrowCode('CA_SIGNING_FAILED')
  })
  it('what was logged is not what is about to be issued', async () => {
    // The log adapter changes the bytes it was lent, and signs for the changed ones: the SCT holds, the comparison does not.
    const clock = new ManualClock(NOW)
    const log: PrecertificateLog = {
      addPreChain: ({ tbs, issuerKeyHash }) => {
        tbs[tbs.length - 1]! ^= 1
        const entry = { type: 'precert', issuerKeyHash, tbs } as const
        return signSct({ timestampMs: clock.now().getTime(), entry }, logKey, nodeCrypto)
      },
    }
    await expect(all(house({ log }).issuer)).rejects.toThrowCode('CA_CERTIFICATE_MISMATCH')
  })
})

describe('an SCT that is not good enough (CA2)', () => {
  const refused = (answer: RecordingLog['answer']): Promise<void> =>
    expect(all(house({}, answer).issuer)).rejects.toThrowCode('CA_SCT_INVALID')
  const resigned = (
    signer: Signer,
    change: { timestampMs?: number; extensions?: Uint8Array; tbs?: Uint8Array } = {},
  ) => {
    return (sct: SignedCertificateTimestamp, { issuerKeyHash, tbs }: PreChain) => {
      const entry = { type: 'precert', issuerKeyHash, tbs: change.tbs ?? tbs } as const
      return signSct({ timestampMs: sct.timestampMs, entry, ...change }, signer, nodeCrypto)
    }
  }
  const time = (offsetMs: number): number => new Date(NOW).getTime() + offsetMs

  it('of another key', () => refused(resigned(generateSigner(P256))))
  it('of our id, signed by another key', () =>
    refused(async (sct, input) => ({ ...(await resigned(generateSigner(P256))(sct, input)), logId: sct.logId })))
  it('over another TBS', () => refused(resigned(logKey, { tbs: Uint8Array.of(0x30, 0) })))
  it('from the future', () => refused(resigned(logKey, { timestampMs: time(1_001) })))
  it('from before the certificate', () => refused(resigned(logKey, { timestampMs: time(-1_751) })))
  it('with extensions', () => refused(resigned(logKey, { extensions: Uint8Array.of(0) })))
  it('of another version', () => refused((sct) => ({ ...sct, version: 1 })))
  it('with a bent signature', () =>
    refused((sct) => ({ ...sct, signature: { ...sct.signature, bytes: sct.signature.bytes.subarray(1) } })))
  it('a clock that is one second off is taken', async () => {
    for (const offset of [1_000, -1_750])
      await expect(all(house({}, resigned(logKey, { timestampMs: time(offset) })).issuer)).resolves.toBeDefined()
  })
})

describe('a CA is not made of parts that do not fit', () => {
  const refused = (changes: Partial<IssuerOptions>): void =>
    expect(() => house(changes)).toThrowCode('CA_CONFIG_INVALID')

  it('no chain', () => refused({ chain: [] }))
  it("another key than the CA's", () => refused({ signer: rootKey }))
  it('a chain in the wrong order, or with a certificate missing', () => {
    refused({ chain: [root, ca] })
    refused({ chain: [ca] })
  })
  it('a root of the same name with another key', async () => {
    const der = await buildRootCertificate({
      subject: { ...subject, commonName: 'root' },
      ...DATES,
      signer: generateSigner(P256),
      random,
    })
    refused({ chain: [ca, parseCertificate(der)] })
  })
  it('an end entity', async () => {
    const end = { subject, ...DATES, signer: rootKey, random, key: caKey.publicKey, issuer: root }
    refused({ chain: [parseCertificate(await buildTsaLeaf(end)), root] })
  })
  it('an intermediate for timestamps', async () => {
    const der = await buildIntermediateCertificate({
      subject,
      ...DATES,
      signer: rootKey,
      random,
      key: caKey.publicKey,
      issuer: root,
      purpose: 'timeStamping',
    })
    refused({ chain: [parseCertificate(der), root] })
  })
  it('a root that allows no CA below it', async () => {
    const profile = { subject, ...DATES, signer: rootKey, random }
    const tight = parseCertificate(await buildRootCertificate({ ...profile, pathLength: 0 }))
    const der = await buildIntermediateCertificate({
      ...profile,
      key: caKey.publicKey,
      issuer: tight,
      purpose: 'codeSigning',
    })
    refused({ chain: [parseCertificate(der), tight] })
  })
  it('a root with the right key and another name', async () => {
    const other = { subject: { ...subject, commonName: 'other' }, ...DATES, signer: rootKey, random }
    refused({ chain: [ca, parseCertificate(await buildRootCertificate(other))] })
  })
  it.each([
    ['may not sign certificates', '0302010' + '6', '0302010' + '2'],
    ['has no subject key identifier', '0603551d0e', '0603551d63'],
  ])('an issuing CA that %s', async (_, from, to) => {
    const tbs = hexDecode(hexEncode(ca.tbs).replace(from, to))
    const der = assembleCertificate(tbs, ca.signatureAlgorithm.der, await rootKey.sign(tbs))
    refused({ chain: [parseCertificate(der), root] })
  })
  it('an Ed25519 CA key', async () => {
    const signer = generateSigner({ kind: 'ed25519' }, { kind: 'ed25519' })
    refused({ signer, chain: [parseCertificate(await buildRootCertificate({ subject, ...DATES, signer, random }))] })
  })
  it('a certificate log with a key that clients do not take', () => {
    refused({ logKey: generateSigner({ kind: 'ecdsa', curve: 'P-384' }).publicKey })
  })
})

it('serial numbers: 10,000 are all different, positive, and at most 20 octets (CA3)', () => {
  const { issuer } = house()
  const serials = new Set<string>()
  for (let i = 0; i < 10_000; i++) serials.add(issuer.prepare(PRINCIPAL, holder).serialHex)
  expect(serials.size).toBe(10_000)
  for (const serial of serials) expect(Number.parseInt(serial.slice(0, 2), 16) < 0x80 && serial.length <= 40).toBe(true)
})
