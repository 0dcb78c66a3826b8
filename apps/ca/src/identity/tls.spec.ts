import { webcrypto } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { createFetchDocument } from './fetch-document.js'

const HOST = 'issuer.example'
const fetchDocument = createFetchDocument(async () => [{ address: '127.0.0.1', family: 4 }])

let pem: string
let server: ReturnType<typeof createServer>
beforeAll(async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${HOST}`,
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2049-12-31T00:00:00Z'),
    signingAlgorithm: algorithm,
    keys: keys as never,
    extensions: [
      new BasicConstraintsExtension(true),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: HOST }]),
    ],
  })
  pem = certificate.toString('pem')
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  server = createServer(
    { cert: pem, key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` },
    (_, response) => response.end('{"a":1}'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const get = (host: string, caCert: string): Promise<Uint8Array> =>
  fetchDocument(new URL(`https://${host}:${(server.address() as AddressInfo).port}/`), {
    addresses: 'any',
    caCert,
    signal: AbortSignal.timeout(5_000),
  })

describe('an issuer on HTTPS', () => {
  it('is believed with the CA certificate that the configuration gives', async () => {
    expect(Buffer.from(await get(HOST, pem)).toString()).toBe('{"a":1}')
  })

  it('is not believed without it, nor under another name', async () => {
    await expect(get(HOST, '')).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
    await expect(get('other.example', pem)).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
  })
})
