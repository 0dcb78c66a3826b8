import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { NestFactory } from '@nestjs/core'
import { ManualClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import type { IssuerConfiguration } from '@touchmark/identity'
import { createHttpMetrics, createLogger, edge, Health, listen, Registry } from '@touchmark/service'
import {
  buildIntermediateCertificate,
  buildRootCertificate,
  parseCertificate,
  signSct,
  type Certificate,
} from '@touchmark/x509'
import type { AuditEvent } from '../audit/audit.js'
import { CaModule } from '../ca.module.js'
import { CA_SHAPES } from '../http/api-shapes.js'
import type { IssuerSource } from '../identity/issuer-source.js'
import { TokenVerifier } from '../identity/token-verifier.js'
import { createIssuer, type PrecertificateLog, type PreChain } from '../issuance/index.js'

import { MemoryRecord } from './memory-record.js'

const P256 = { kind: 'ecdsa', curve: 'P-256' } as const
const DATES = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2031-01-01T00:00:00Z') }
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** Keys are made once for each test file: they cost more than the tests. */
const rootKey = generateSigner(P256)
const caKey = generateSigner(P256)
export const certificateLogKey = generateSigner(P256)

async function makeChain(): Promise<[Certificate, Certificate]> {
  const subject = { organization: 'example.org', commonName: 'intermediate' }
  const root = parseCertificate(
    await buildRootCertificate({ subject: { ...subject, commonName: 'root' }, ...DATES, signer: rootKey, random }),
  )
  const profile = { subject, ...DATES, signer: rootKey, random, key: caKey.publicKey, issuer: root }
  return [parseCertificate(await buildIntermediateCertificate({ ...profile, purpose: 'codeSigning' })), root]
}
const chain = makeChain()

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface TestCa {
  readonly clock: ManualClock
  readonly audit: AuditEvent[]
  readonly record: MemoryRecord
  /** What was handed to the certificate log. */
  readonly logged: PreChain[]
  readonly chain: readonly [issuing: Certificate, root: Certificate]
  request(method: string, path: string, headers?: Record<string, string>, body?: string | Uint8Array): Promise<Answer>
  close(): Promise<void>
}

export interface TestCaOptions {
  readonly configuration: IssuerConfiguration
  readonly source: IssuerSource
  readonly now: string
  /** Told as the CA's chain instead of its own. */
  readonly chainPem?: readonly string[]
  /** Makes the certificate log fail. */
  readonly logFails?: boolean
  /** Fails in place of the certificate log, once for each member; `after` the entry was taken, or before. */
  readonly logFaults?: { readonly error: Error; readonly after: boolean }[]
}

/** The CA's routes behind the real edge, on a free port of the loopback interface. */
export async function startTestCa(options: TestCaOptions): Promise<TestCa> {
  const { configuration, source } = options
  const clock = new ManualClock(options.now)
  const audit: AuditEvent[] = []
  const logged: PreChain[] = []
  const log: PrecertificateLog = {
    async addPreChain(input) {
      if (options.logFails === true) throw new Error('the log answers 400')
      const fault = options.logFaults?.shift()
      if (fault?.after === false) throw fault.error
      logged.push(input)
      if (fault !== undefined) throw fault.error
      const entry = { type: 'precert', issuerKeyHash: input.issuerKeyHash, tbs: input.tbs } as const
      return signSct({ timestampMs: clock.now().getTime(), entry }, certificateLogKey, nodeCrypto)
    },
  }
  const certificates = await chain
  const parts = { signer: caKey, chain: certificates, log, logKey: certificateLogKey.publicKey }
  const issuer = createIssuer({ ...parts, crypto: nodeCrypto, clock, random })
  const record = new MemoryRecord()
  const module = CaModule.register({
    issuer,
    record,
    tokens: new TokenVerifier({ configuration, source, clock }),
    chainPem: options.chainPem ?? issuer.chainPem,
    configuration,
    crypto: nodeCrypto,
    audit: (event) => audit.push(event),
  })
  const app = await NestFactory.create(module, { bodyParser: false, logger: false })
  const metrics = createHttpMetrics(new Registry())
  app.use(edge({ shapes: CA_SHAPES, health: new Health(clock), metrics, logger: createLogger({ level: 'silent' }) }))
  await app.init()
  const server = await listen(app.getHttpAdapter().getInstance() as RequestListener, '127.0.0.1', 0)
  const { port } = server
  return {
    clock,
    audit,
    record,
    logged,
    chain: certificates,
    request: (method, path, headers = {}, body = undefined) => send(port, method, path, headers, body),
    async close() {
      await server.drain(100)
      await app.close()
    },
  }
}

function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | Uint8Array | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || headers['Transfer-Encoding'] !== undefined
        ? {}
        : { 'Content-Length': String(Buffer.byteLength(body)) }
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...length, ...headers },
        agent: false,
        maxHeaderSize: 1 << 20,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
