import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A company's OpenID provider on the loopback interface: real discovery over HTTP, tokens by its own hand. */
export interface Issuer {
  readonly url: string
  readonly key: KeyObject
  token(claims?: Readonly<Record<string, unknown>>, key?: KeyObject): string
  close(): void
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' }
  const server = createServer((request, response) => {
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer: url,
        jwks_uri: `${url}/keys`,
        id_token_signing_alg_values_supported: ['RS256'],
      },
      '/keys': { keys: [jwk] },
    }
    const found = documents[request.url ?? '']
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    key: privateKey,
    token(claims = {}, key = privateKey) {
      const now = Math.floor(Date.now() / 1000)
      const usual = {
        iss: url,
        aud: 'sigstore',
        sub: 'u1',
        email: 'dev@example.com',
        email_verified: true,
        iat: now,
        exp: now + 600,
      }
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      const input = `${part({ alg: 'RS256', kid: 'k', typ: 'JWT' })}.${part({ ...usual, ...claims })}`
      return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
    },
    close: () => void server.close(),
  }
}

/** A configuration file that names issuers of e-mail addresses, as Fulcio writes it. */
export async function writeIssuers(path: string, urls: readonly string[]): Promise<string> {
  const issuers = urls.map((url) => `  ${url}: {issuer-url: "${url}", client-id: sigstore, type: email}\n`)
  await writeFile(path, `oidc-issuers:\n${issuers.join('')}`)
  return path
}
