import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { findIssuer, parseIssuerConfig } from '@touchmark/identity'
import { TestIssuer } from '../testing/test-issuer.js'
import { createFetchDocument, type ResolveHost } from './fetch-document.js'
import { HttpIssuerSource } from './http-issuer-source.js'
import type { MatchedIssuer } from './issuer-source.js'
import { TokenVerifier } from './token-verifier.js'

type Handler = (request: IncomingMessage, response: ServerResponse) => void
interface Site {
  readonly url: string
  readonly port: number
  readonly paths: string[]
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function site(handler: Handler): Promise<Site> {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    handler(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, paths }
}

const json = (response: ServerResponse, value: unknown): void => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}
const redirect = (response: ServerResponse, location: string): void => {
  response.writeHead(302, { location }).end()
}

/** A fixed issuer at this URL. */
function fixed(url: string): MatchedIssuer {
  const configuration = parseIssuerConfig(`oidc-issuers: {"${url}": {issuer-url: "${url}", client-id: c, type: email}}`)
  return { url, config: findIssuer(configuration, url)! }
}
function wildcard(url: string, pattern: string): MatchedIssuer {
  const configuration = parseIssuerConfig(`meta-issuers: {"${pattern}": {client-id: c, type: kubernetes}}`)
  return { url, config: findIssuer(configuration, url)! }
}

const resolved: string[] = []
let addresses: Record<string, string[]>
const resolve: ResolveHost = async (host) => {
  resolved.push(host)
  return (addresses[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}
const source = new HttpIssuerSource(createFetchDocument(resolve))
const soon = (): AbortSignal => AbortSignal.timeout(5_000)
const refused = (promise: Promise<unknown>): Promise<unknown> =>
  expect(promise).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
beforeEach(() => {
  addresses = {}
  resolved.length = 0
})

describe('J5: discovery', () => {
  it('reads the document of a configured issuer, which may be on this very machine', async () => {
    const issuer = await site((request, response) =>
      request.url === '/.well-known/openid-configuration'
        ? json(response, {
            issuer: issuer.url,
            jwks_uri: `${issuer.url}/keys`,
            id_token_signing_alg_values_supported: ['RS256', 5],
          })
        : json(response, { keys: [] }),
    )
    const document = await source.discover(fixed(issuer.url), soon())
    expect(document).toEqual({ jwksUri: `${issuer.url}/keys`, algorithms: ['RS256'] })
    expect(await source.fetchKeys(fixed(issuer.url), document, soon())).toEqual({ keys: [] })
    expect(issuer.paths).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  it('asks below an issuer with a path, with or without a slash at its end', async () => {
    const issuer = await site((_, response) => json(response, { issuer: `${issuer.url}/a/`, jwks_uri: issuer.url }))
    await source.discover(fixed(`${issuer.url}/a/`), soon())
    expect(issuer.paths).toEqual(['/a/.well-known/openid-configuration'])
    await refused(source.discover(fixed(`${issuer.url}/a`), soon()))
  })

  it.each([
    ['another issuer', (url: string) => ({ issuer: 'https://accounts.google.com', jwks_uri: url })],
    ['itself with a slash', (url: string) => ({ issuer: `${url}/`, jwks_uri: url })],
    ['no issuer', (url: string) => ({ jwks_uri: url })],
    ['no jwks_uri', (url: string) => ({ issuer: url })],
    ['a jwks_uri that is a list', (url: string) => ({ issuer: url, jwks_uri: [url] })],
    ['a list', () => []],
    ['text', () => 'x'],
  ])('refuses a document that names %s', async (_, document) => {
    const issuer = await site((__, response) => json(response, document(issuer.url)))
    await refused(source.discover(fixed(issuer.url), soon()))
  })

  it.each<[string, Handler]>([
    ['500', (_, response) => response.writeHead(500).end('{}')],
    ['204', (_, response) => response.writeHead(204).end()],
    ['no JSON', (_, response) => response.end('<html>')],
    ['a member twice', (_, response) => response.end('{"issuer":"a","issuer":"b"}')],
    ['a closed connection', (request) => request.socket.destroy()],
    [
      'half an answer',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"issuer"', () => request.socket.destroy())
      },
    ],
    ['a redirect without a location', (_, response) => response.writeHead(302).end()],
    ['a redirect to no URL', (_, response) => redirect(response, 'http://[')],
  ])('refuses %s', async (_, handler) => {
    const issuer = await site(handler)
    await refused(source.discover(fixed(issuer.url), soon()))
  })

  it('follows redirects on the same host, five of them', async () => {
    const hops = (limit: number): Promise<Site> =>
      site((request, response) => {
        const hop = Number(/\d+$/.exec(request.url ?? '')?.[0] ?? 0)
        if (hop < limit) return redirect(response, `/hop/${hop + 1}`)
        json(response, { issuer: `http://${request.headers.host}`, jwks_uri: 'http://x.example/keys' })
      })
    expect((await source.discover(fixed((await hops(5)).url), soon())).jwksUri).toBe('http://x.example/keys')
    await refused(source.discover(fixed((await hops(6)).url), soon()))
  })

  it('refuses redirects to another host, port or scheme, and does not go there', async () => {
    const other = await site((_, response) => json(response, {}))
    for (const location of [
      other.url,
      `//127.0.0.1:${other.port}/`,
      `http://localhost:${other.port}/`,
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'https://127.0.0.1/',
    ]) {
      const issuer = await site((_, response) => redirect(response, location))
      await refused(source.discover(fixed(issuer.url), soon()))
      await refused(source.fetchKeys(fixed(issuer.url), { jwksUri: `${issuer.url}/keys`, algorithms: [] }, soon()))
    }
    expect(other.paths).toEqual([])
  })

  it.each([
    ['declared', (response: ServerResponse, body: string) => response.end(body)],
    [
      'not declared',
      (response: ServerResponse, body: string) => {
        response.write(body)
        response.end()
      },
    ],
  ])('refuses a document over 256 KiB, its length %s', async (_, write) => {
    const issuer = await site((__, response) =>
      write(response, JSON.stringify({ issuer: issuer.url, jwks_uri: issuer.url, x: 'a'.repeat(256 * 1024) })),
    )
    await refused(source.discover(fixed(issuer.url), soon()))
  })

  it('stops reading a document without end', async () => {
    const issuer = await site((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('a'.repeat(16 * 1024)));
      }
      response.on('drain', more)
      response.on('error', () => undefined)
      more()
    })
    await refused(source.discover(fixed(issuer.url), soon()))
  })

  it('gives up when its time is over: before the answer, and in the middle of it', async () => {
    const silent = await site(() => undefined)
    await refused(source.discover(fixed(silent.url), AbortSignal.timeout(50)))
    const slow = await site((_, response) => response.write('{'))
    await refused(source.discover(fixed(slow.url), AbortSignal.timeout(50)))
  })

  it('does not decode what an issuer compresses', async () => {
    const issuer = await site((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity')
      response.setHeader('content-encoding', 'gzip')
      json(response, { issuer: issuer.url, jwks_uri: 'http://x.example/' })
    })
    expect((await source.discover(fixed(issuer.url), soon())).jwksUri).toBe('http://x.example/')
  })
})

describe('J5, A5: which addresses are asked', () => {
  const PATTERN = 'http://*.clusters.example:*/id'
  const wildcardAt = async (list: string[]): Promise<[MatchedIssuer, Site]> => {
    const target = await site((request, response) =>
      json(response, { issuer: `http://${request.headers.host}/id`, jwks_uri: 'http://x' }),
    )
    addresses['a.clusters.example'] = list
    return [wildcard(`http://a.clusters.example:${target.port}/id`, PATTERN), target]
  }

  it.each([
    [['127.0.0.1']],
    [['10.0.0.1']],
    [['169.254.169.254']],
    [['::1']],
    [['8.8.8.8', '127.0.0.1']],
    [['::ffff:127.0.0.1']],
    [[]],
  ])('a wildcard issuer at %j is not', async (list) => {
    const [issuer, target] = await wildcardAt(list)
    await refused(source.discover(issuer, soon()))
    expect(target.paths).toEqual([])
  })

  it('nor are its keys, wherever its document says they are', async () => {
    const target = await site((_, response) => json(response, { keys: [] }))
    const [issuer] = await wildcardAt(['8.8.8.8'])
    addresses['keys.example'] = ['127.0.0.1']
    for (const jwksUri of [
      `http://127.0.0.1:${target.port}/`,
      `http://2130706433:${target.port}/`,
      `http://[::ffff:7f00:1]:${target.port}/`,
      `http://keys.example:${target.port}/`,
    ]) {
      await refused(source.fetchKeys(issuer, { jwksUri, algorithms: [] }, soon()))
    }
    expect(target.paths).toEqual([])
  })

  it('a configured issuer is, wherever it is; keys on another host of its choice are not at link-local addresses', async () => {
    const target = await site((_, response) => json(response, { keys: [] }))
    addresses['inside.example'] = ['127.0.0.1']
    addresses['metadata.example'] = ['169.254.169.254']
    const issuer = fixed(`http://inside.example:${target.port}`)
    await source.fetchKeys(issuer, { jwksUri: `http://127.0.0.1:${target.port}/keys`, algorithms: [] }, soon())
    expect(target.paths).toEqual(['/keys'])
    for (const jwksUri of [
      'http://metadata.example/',
      'http://169.254.169.254/',
      'http://[fe80::1]/',
      'http://0.0.0.0/',
    ]) {
      await refused(source.fetchKeys(issuer, { jwksUri, algorithms: [] }, soon()))
    }
  })

  it('DNS rebinding: the address that was checked is the one connected to; the name is resolved once a request', async () => {
    const target = await site((request, response) =>
      json(response, { issuer: `http://${request.headers.host}`, jwks_uri: 'http://x' }),
    )
    let answers = 0
    const rebinding: ResolveHost = async () => [{ address: answers++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }]
    const once = new HttpIssuerSource(createFetchDocument(rebinding))
    await once.discover(fixed(`http://rebind.example:${target.port}`), soon())
    expect(answers).toBe(1)
    expect(target.paths).toHaveLength(1)
  })

  it('a wildcard name that turns private between two requests is refused at the second', async () => {
    const [issuer, target] = await wildcardAt(['8.8.8.8'])
    addresses['a.clusters.example'] = ['127.0.0.1']
    await refused(source.discover(issuer, soon()))
    expect(target.paths).toEqual([])
  })

  it.each([
    'ftp://x.example/keys',
    'file:///etc/passwd',
    'data:application/json,{}',
    'not a url',
    'http://user:pw@x.example/',
  ])('keys at %s are not fetched', async (jwksUri) => {
    await refused(source.fetchKeys(fixed('http://a.example'), { jwksUri, algorithms: [] }, soon()))
    expect(resolved).toEqual([])
  })

  it('keys of an HTTPS issuer must be on HTTPS', async () => {
    await refused(
      source.fetchKeys(fixed('https://a.example'), { jwksUri: 'http://a.example/keys', algorithms: [] }, soon()),
    )
    expect(resolved).toEqual([])
  })

  it('the issuer of a token that nobody configured is never asked', async () => {
    const target = await site((_, response) => json(response, {}))
    const configuration = parseIssuerConfig(
      'oidc-issuers: {"http://a.example": {issuer-url: "http://a.example", client-id: c, type: email}}',
    )
    const tokens = new TokenVerifier({ configuration, source, clock: new ManualClock('2026-06-01T12:00:00Z') })
    const token = new TestIssuer().token({ iss: target.url, aud: 'c', exp: 1e10 }, { jku: `${target.url}/keys` })
    await expect(tokens.authenticate(token)).rejects.toThrowCode('CA_TOKEN_REFUSED')
    expect([target.paths, resolved]).toEqual([[], []])
  })
})

describe('from discovery to a name', () => {
  it('a token of an issuer over HTTP, and a new key of it', async () => {
    let provider = new TestIssuer()
    const issuer = await site((request, response) =>
      request.url === '/keys'
        ? json(response, provider.jwks)
        : json(response, {
            issuer: issuer.url,
            jwks_uri: `${issuer.url}/keys`,
            id_token_signing_alg_values_supported: ['RS256'],
          }),
    )
    const clock = new ManualClock('2026-06-01T12:00:00Z')
    const configuration = parseIssuerConfig(
      `oidc-issuers: {"${issuer.url}": {issuer-url: "${issuer.url}", client-id: c, type: email}}`,
    )
    const tokens = new TokenVerifier({ configuration, source, clock })
    const claims = { iss: issuer.url, aud: 'c', email: 'dev@example.com', email_verified: true, exp: 1e10 }
    expect((await tokens.authenticate(provider.token(claims))).name).toBe('dev@example.com')
    const old = provider.token(claims)
    provider = new TestIssuer()
    clock.advance(10_000)
    expect((await tokens.authenticate(provider.token(claims))).name).toBe('dev@example.com')
    await expect(tokens.authenticate(old)).rejects.toThrowCode('CA_TOKEN_REFUSED')
  })
})
