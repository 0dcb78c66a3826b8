import { generateKeyPairSync, sign, webcrypto } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { startStandalone, type Standalone } from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { createLogger } from '@touchmark/service'
import { freePort } from '../support/stack.js'
import { send, type Answer, type Call } from './support/http.js'
import { startIssuer, writeIssuers, type Issuer } from './support/issuer.js'
import { configOf, logSizes, startInProcess, temporaryFolder, type InProcess } from './support/standalone.js'

// Reliability test CA4, replayed requests: through HTTP, on a real database, over two stacks of one instance.

const NAME = 'dev@example.com'
let issuer: Issuer
let stack: InProcess
let issuers: string
let folder: Awaited<ReturnType<typeof temporaryFolder>>
/** A second process of the same instance: its own connections, the same database and keys. */
let second: { url: string; standalone: Standalone }

async function startAgain(): Promise<{ url: string; standalone: Standalone }> {
  const port = await freePort()
  const config = configOf(stack.db, stack.data, { port, publicUrl: stack.url, issuers })
  const logger = createLogger({ level: 'silent' })
  return { url: `http://localhost:${port}`, standalone: await startStandalone(config, { clock: systemClock, logger }) }
}

beforeAll(async () => {
  ;[issuer, folder] = await Promise.all([startIssuer(), temporaryFolder()])
  issuers = await writeIssuers(join(folder.path, 'issuers.yaml'), [issuer.url])
  stack = await startInProcess({ issuers })
  second = await startAgain()
}, 60_000)
afterAll(async () => {
  issuer.close()
  await second.standalone.stop(1000)
  await stack.close()
  await folder.remove()
})

const routes = ['v2 with a key', 'v2 with a CSR', 'v1 with a key', 'v1 with a CSR'] as const
type Route = (typeof routes)[number]
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')

async function proofFor(route: Route): Promise<object> {
  if (route.endsWith('CSR')) {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    const options = { name: 'CN=any', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } }
    const csr = await Pkcs10CertificateRequestGenerator.create(options, webcrypto as never)
    return { certificateSigningRequest: base64(csr.toString('pem')) }
  }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const content = String(publicKey.export({ type: 'spki', format: 'pem' }))
  const proof = base64(sign('sha256', Buffer.from(NAME), privateKey))
  return route.startsWith('v2')
    ? { publicKeyRequest: { publicKey: { content }, proofOfPossession: proof } }
    : { publicKey: { content: base64(content) }, signedEmailAddress: proof }
}

function withToken(token: string, proof: object): Call {
  return { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(proof) }
}

const pathOf = (route: Route): string => `/api/${route.slice(0, 2)}/signingCert`
const issued = ({ status }: Answer): boolean => status === 200 || status === 201

async function expectRefused(url: string, route: Route, call: Call, message: string): Promise<void> {
  const before = await logSizes(stack.url)
  const answer = await send(url, pathOf(route), call)
  expect([answer.status, JSON.parse(answer.text)]).toEqual([400, { code: 3, message, details: [] }])
  expect(await logSizes(stack.url)).toEqual(before)
}

const REPLAYED = 'This token was used for this key before: make a new key (the same token may be used for many keys)'
const ANOTHERS = 'The public key of the certificate signing request was certified for another identity'

describe.each(routes)('CA4: %s', (route) => {
  it('denies the same request again, in the same process and in another', async () => {
    const call = withToken(issuer.token(), await proofFor(route))
    expect(issued(await send(stack.url, pathOf(route), call))).toBe(true)
    await expectRefused(stack.url, route, call, REPLAYED)
    await expectRefused(second.url, route, call, REPLAYED)
  })

  it('answers one of many equal requests that come at the same moment to two processes', async () => {
    const call = withToken(issuer.token(), await proofFor(route))
    const before = await logSizes(stack.url)
    const urls = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? stack.url : second.url))
    const answers = await Promise.all(urls.map((url) => send(url, pathOf(route), call)))
    expect(answers.filter(issued)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(11)
    expect((await logSizes(stack.url)).certificate).toBe(before.certificate + 1)
  })

  it('denies the same request after a restart', async () => {
    const call = withToken(issuer.token(), await proofFor(route))
    expect(issued(await send(second.url, pathOf(route), call))).toBe(true)
    await second.standalone.stop(1000)
    second = await startAgain()
    await expectRefused(second.url, route, call, REPLAYED)
  }, 30_000)

  it('denies the same request after its token has ended', async () => {
    const exp = Math.floor(systemClock.now().getTime() / 1000) + 3
    const call = withToken(issuer.token({ exp }), await proofFor(route))
    expect(issued(await send(stack.url, pathOf(route), call))).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 50 - systemClock.now().getTime()))
    await expectRefused(stack.url, route, call, 'There was an error processing the identity token')
  })

  it('denies what one person sent under another person’s token', async () => {
    const proof = await proofFor(route)
    expect(issued(await send(stack.url, pathOf(route), withToken(issuer.token(), proof)))).toBe(true)
    const mallory = withToken(issuer.token({ email: 'mallory@example.com' }), proof)
    const message = route.endsWith('CSR') ? ANOTHERS : 'The signature supplied in the request could not be verified'
    await expectRefused(second.url, route, mallory, message)
  })

  it('answers 500 when the certificate log cannot store the entry, and the same request succeeds afterwards', async () => {
    const before = await logSizes(stack.url)
    const call = withToken(issuer.token(), await proofFor(route))
    await stack.db.query('alter table log_entries rename to log_entries_away')
    try {
      const answer = await send(stack.url, pathOf(route), call)
      const message = 'Error entering certificate in CTL'
      expect([answer.status, JSON.parse(answer.text)]).toEqual([500, { code: 13, message, details: [] }])
    } finally {
      await stack.db.query('alter table log_entries_away rename to log_entries')
    }
    expect(await logSizes(stack.url)).toEqual(before)
    expect(issued(await send(stack.url, pathOf(route), call))).toBe(true)
    expect((await logSizes(stack.url)).certificate).toBe(before.certificate + 1)
  })

  it('answers 503 and issues nothing while the record cannot be written', async () => {
    const before = await logSizes(stack.url)
    const call = withToken(issuer.token(), await proofFor(route))
    await stack.db.query('alter table ca_key_claims rename to ca_key_claims_away')
    try {
      const answer = await send(stack.url, pathOf(route), call)
      expect([answer.status, JSON.parse(answer.text)]).toEqual([503, expect.objectContaining({ code: 14 })])
    } finally {
      await stack.db.query('alter table ca_key_claims_away rename to ca_key_claims')
    }
    expect(await logSizes(stack.url)).toEqual(before)
    // What was not answered with a certificate may come again.
    expect(issued(await send(stack.url, pathOf(route), call))).toBe(true)
  })
})
