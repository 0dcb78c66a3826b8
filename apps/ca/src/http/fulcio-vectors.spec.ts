import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { hexEncode } from '@touchmark/encoding'
import { nodeCrypto } from '@touchmark/crypto/node'
import { parseCertificate, parseCertificatesPem, verifyEmbeddedSct, type Certificate } from '@touchmark/x509'
import {
  fulcioCases,
  readFulcio,
  recordedConfiguration,
  recordedSource,
  type FulcioCase,
} from '../testing/fulcio-vectors.js'
import { certificateLogKey, startTestCa, type Answer, type TestCa } from '../testing/test-ca.js'

const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2'
const AUTHORITY_KEY_ID = '2.5.29.35'
const NOT_IN_THE_CA = new Set(['healthz', 'error-not-found'])

const servers = new Map<FulcioCase['server'], TestCa>()
beforeAll(async () => {
  // The chain that was recorded is told as the CA's own, so that the trust bundle can be compared byte for byte.
  const chainPem = ['chain-intermediate', 'chain-root'].map((name) => readFulcio(`certificates/${name}.pem`))
  for (const server of ['ephemeral', 'chain', 'ct-down', 'no-ct'] as const) {
    const options = {
      configuration: recordedConfiguration(server),
      source: recordedSource,
      now: '2026-11-22T16:23:26Z',
    }
    servers.set(server, await startTestCa({ ...options, chainPem, logFails: server === 'ct-down' }))
  }
})
afterAll(async () => {
  for (const server of servers.values()) await server.close()
})

function replay({ server, time, request }: FulcioCase): Promise<Answer> {
  const ca = servers.get(server)!
  ca.clock.set(time)
  // Each recording stands alone: the same few keys and tokens are in many of them.
  ca.record.clear()
  const body = request.bodyDescription === undefined ? request.body : `{"x":"${'a'.repeat(4_194_297)}"}`
  return ca.request(request.method, request.path, { ...request.headers }, body)
}

/** What does not depend on the CA's keys. */
function facts(certificate: Certificate): unknown {
  const kept = [...certificate.extensions.values()].filter(({ oid }) => oid !== SCT_LIST && oid !== AUTHORITY_KEY_ID)
  return {
    version: certificate.version,
    subject: hexEncode(certificate.subject),
    spki: hexEncode(certificate.spki),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    order: [...certificate.extensions.keys()].filter((oid) => oid !== SCT_LIST),
    extensions: kept.map(({ oid, critical, value }) => ({ oid, critical, value: hexEncode(value) })),
  }
}

function certificatesOf(recorded: FulcioCase, answer: Answer): Certificate[] {
  if (recorded.request.path === '/api/v1/signingCert') {
    expect(answer.body).toBe(answer.body.trim())
    expect(answer.body).not.toContain('\n\n')
    return parseCertificatesPem(answer.body)
  }
  const body = JSON.parse(answer.body) as { signedCertificateEmbeddedSct: { chain: { certificates: string[] } } }
  const { certificates } = body.signedCertificateEmbeddedSct.chain
  expect(certificates.every((pem) => pem === pem.trim())).toBe(true)
  return certificates.map((pem) => parseCertificatesPem(pem)[0]!)
}

const cases = fulcioCases().filter(({ name }) => !NOT_IN_THE_CA.has(name))
const issuing = cases.filter(({ certificate }) => certificate !== undefined)
const others = cases.filter(({ certificate }) => certificate === undefined)

/** Where we differ on purpose; docs/spec-divergences.md says why. */
const DIFFERENT: Readonly<Record<string, (answer: Answer) => void>> = {
  'v2-pop-p1363': (answer) => {
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({
      message: 'The signature supplied in the request could not be verified',
    })
  },
  'error-double-slash': (answer) => expect(answer.status).toBe(200),
}

describe('recorded certificates', () => {
  it('are 28', () => expect(issuing).toHaveLength(28))

  it.each(issuing.map((recorded) => [recorded.name, recorded] as const))('%s', async (name, recorded) => {
    const answer = await replay(recorded)
    const different = DIFFERENT[name]
    if (different !== undefined) return different(answer)
    expect([answer.status, answer.headers['content-type'], answer.headers.vary]).toEqual([
      recorded.response.status,
      recorded.response.headers['Content-Type'],
      'Origin',
    ])
    expect(answer.headers).not.toHaveProperty('sct')
    const [leaf, ...above] = certificatesOf(recorded, answer)
    const { chain } = servers.get(recorded.server)!
    expect(above.map(({ der }) => hexEncode(der))).toEqual(chain.map(({ der }) => hexEncode(der)))
    const wanted = facts(parseCertificatesPem(readFulcio(recorded.certificate!))[0]!)
    // The clock of the recording moved between request and signature by up to a second.
    const { notBefore, notAfter, ...rest } = facts(leaf!) as { notBefore: string; notAfter: string }
    expect(
      Math.abs(Date.parse(notBefore) - Date.parse((wanted as { notBefore: string }).notBefore)),
    ).toBeLessThanOrEqual(1000)
    expect(Date.parse(notAfter) - Date.parse(notBefore)).toBe(600_000)
    const expected = { ...(wanted as object) } as {
      notBefore?: string
      notAfter?: string
      extensions: { oid: string; value: string }[]
    }
    delete expected.notBefore
    delete expected.notAfter
    if (name === 'v2-ci-stringify') {
      // v1.8.8 wrote 1.2345678e+07, mended in Fulcio main.
      expected.extensions.find(({ oid }) => oid === '1.3.6.1.4.1.57264.1.3')!.value =
        Buffer.from('12345678').toString('hex')
    }
    expect(rest).toEqual(expected)
    verifyEmbeddedSct({ leaf: leaf!, issuer: chain[0], logKey: certificateLogKey.publicKey, crypto: nodeCrypto })
  })

  it('each is in the certificate log before it is handed out', async () => {
    const ca = servers.get('chain')!
    ca.logged.length = 0
    const answer = await replay(issuing.find(({ name }) => name === 'v2-uri')!)
    const [leaf] = certificatesOf(
      issuing.find(({ name }) => name === 'v2-uri')!,
      answer,
    )
    expect(ca.logged).toHaveLength(1)
    expect(parseCertificate(ca.logged[0]!.precertificate).serialHex).toBe(leaf!.serialHex)
  })
})

/** Texts may differ in white space by build (ca.md §4): U+00A0 after `proto:`, a space after commas. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ')
function comparable(body: string): unknown {
  if (!body.startsWith('{')) return body
  const value = JSON.parse(plain(body)) as { issuers?: { issuerUrl?: string; wildcardIssuerUrl?: string }[] }
  value.issuers?.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  return value
}

describe('other recorded answers', () => {
  it.each(others.map((recorded) => [recorded.name, recorded] as const))('%s', async (name, recorded) => {
    const answer = await replay(recorded)
    const different = DIFFERENT[name]
    if (different !== undefined) return different(answer)
    expect(answer.status).toBe(recorded.response.status)
    expect(comparable(answer.body)).toEqual(comparable(recorded.response.body))
    for (const header of [
      'Content-Type',
      'Vary',
      'Access-Control-Allow-Origin',
      'Access-Control-Allow-Methods',
      'Access-Control-Allow-Headers',
    ]) {
      expect([header, answer.headers[header.toLowerCase()]]).toEqual([header, recorded.response.headers[header]])
    }
  })

  it.each(['v2-trust-bundle', 'v1-root-cert', 'error-no-token', 'error-key-missing-claim', 'error-email-not-ascii'])(
    '%s is the same byte for byte',
    async (name) => {
      const recorded = others.find((one) => one.name === name)!
      expect((await replay(recorded)).body).toBe(recorded.response.body)
    },
  )
})
