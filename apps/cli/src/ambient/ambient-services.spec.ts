import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { answer, bodyOf, httpServer, netServer, type LocalServer } from '../../../../libs/sign/src/testing/servers.js'
import { testContext, type TestContext } from '../testing/context.js'
import { unsignedToken } from '../testing/provider.js'
import { findAmbient, type AmbientFound } from './find-ambient.js'

const token = (aud: unknown = 'sigstore'): string => unsignedToken({ iss: 'https://ci.example.com', sub: 'job-1', aud })
const SECRET = 'bearer-of-the-job'

interface Asked {
  readonly method: string | undefined
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let context: TestContext
let servers: LocalServer[]
let asked: Asked[]
let environment: NodeJS.ProcessEnv
beforeEach(async () => {
  servers = []
  asked = []
  environment = {}
  context = await testContext({ environment, fetch: (url, init) => fetch(url, init) })
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  await context.remove()
})

async function serve(respond: (response: ServerResponse, request: Asked) => void): Promise<string> {
  const server = await httpServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method, headers } = request
      asked.push({ method, url: request.url!, headers, body: body.toString() })
      respond(response, asked.at(-1)!)
    })
  })
  servers.push(server)
  return server.url
}

const find = (audience = 'sigstore', chosen?: string, http = context.http): Promise<AmbientFound> =>
  findAmbient({ environment, http, places: context.ambientPlaces! }, audience, chosen)
const json = (response: ServerResponse, value: unknown, headers = {}): void =>
  answer(response, 200, JSON.stringify(value), headers)

/** Each system that is asked over HTTP: how its environment points at an address, and how it answers with a token. */
const SYSTEMS: Record<
  string,
  { point: (url: string) => void; give: (response: ServerResponse, token: unknown) => void; bearer: boolean }
> = {
  'github-actions': {
    point: (url) => {
      environment['ACTIONS_ID_TOKEN_REQUEST_URL'] = `${url}/token?api-version=2.0`
      environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] = SECRET
    },
    give: (response, value) => json(response, { count: 1, value }),
    bearer: true,
  },
  'buildkite-agent': {
    point: (url) => {
      environment['BUILDKITE_AGENT_ENDPOINT'] = `${url}/v3/`
      environment['BUILDKITE_AGENT_ACCESS_TOKEN'] = SECRET
      environment['BUILDKITE_JOB_ID'] = '0190-job'
    },
    give: (response, value) => json(response, { token: value }),
    bearer: true,
  },
  google: {
    point: (url) => void (environment['GCE_METADATA_HOST'] = new URL(url).host),
    give: (response, value) =>
      answer(response, 200, typeof value === 'string' ? value : JSON.stringify(value), { 'metadata-flavor': 'Google' }),
    bearer: false,
  },
}
const names = Object.keys(SYSTEMS)

/** Detection of Google asks for the account; everything else is asked once. */
const isProbe = ({ url }: Asked): boolean => url.endsWith('/email')

async function behaving(name: string, respond: (response: ServerResponse, request: Asked) => void): Promise<void> {
  const url = await serve((response, request) =>
    isProbe(request) ? answer(response, 200, 'x@y', { 'metadata-flavor': 'Google' }) : respond(response, request),
  )
  SYSTEMS[name]!.point(url)
}

async function failure(work: Promise<unknown>): Promise<{ code: string; text: string }> {
  const error = (await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as { code: string; message: string; details: object } | undefined
  return { code: error?.code ?? 'none', text: JSON.stringify([error?.message, error?.details]) }
}

describe.each(names)('%s', (name) => {
  it('gives a token for the audience', async () => {
    await behaving(name, (response) => SYSTEMS[name]!.give(response, token()))
    await expect(find()).resolves.toEqual({ found: { token: token(), provider: name }, lacking: [] })
    const [request] = asked.filter((one) => !isProbe(one))
    expect(`${request!.url} ${request!.body}`).toContain('sigstore')
    if (SYSTEMS[name]!.bearer) expect(request!.headers.authorization).toContain(SECRET)
  })

  it('is asked for the audience that is wanted', async () => {
    await behaving(name, (response) => SYSTEMS[name]!.give(response, token(['https://ca.example.com/?a&b'])))
    await expect(find('https://ca.example.com/?a&b')).resolves.toMatchObject({ found: { provider: name } })
    const request = asked.find((one) => !isProbe(one))!
    const sent =
      request.body === ''
        ? new URL(request.url, 'http://x').searchParams.get('audience')
        : (JSON.parse(request.body) as { audience: string }).audience
    expect(sent).toBe('https://ca.example.com/?a&b')
  })

  it.each([400, 401, 403, 404])('is refused with %d, and says so without the bearer', async (status) => {
    await behaving(name, (response) => answer(response, status, '{"message":"not this job"}'))
    const { code, text } = await failure(find())
    expect(code).toBe('CLI_AMBIENT_REFUSED')
    expect(text).toContain('not this job')
    expect(text).not.toContain(SECRET)
  })

  it('is asked again when it fails, and is then a failed service', async () => {
    await behaving(name, (response) => answer(response, 503, 'busy'))
    expect((await failure(find())).code).toBe('SIGN_SERVICE_FAILED')
    expect(asked.filter((one) => !isProbe(one))).toHaveLength(2)
  })

  it('is not waited for without end', async () => {
    await behaving(name, () => undefined)
    expect((await failure(find('sigstore', undefined, { ...context.http, timeoutMs: 60, tries: 1 }))).code).toBe(
      'SIGN_SERVICE_UNREACHABLE',
    )
  })

  it('is not read to the end when it says too much', async () => {
    await behaving(name, (response) => SYSTEMS[name]!.give(response, 'x'.repeat(200_000)))
    expect((await failure(find())).code).toBe('SIGN_SERVICE_ANSWER')
  })

  it('is not followed to another host, where its bearer would go too', async () => {
    const elsewhere = await serve((response) => SYSTEMS[name]!.give(response, token()))
    await behaving(name, (response) => answer(response, 307, '', { location: `${elsewhere}/elsewhere` }))
    expect((await failure(find())).code).toBe('SIGN_SERVICE_ANSWER')
    expect(asked.some(({ url }) => url.includes('elsewhere'))).toBe(false)
  })

  it.each([
    ['no JWT', 'hello'],
    ['nothing', ''],
    ['a number', 5],
    ['null', null],
    ['a list', []],
  ])('is refused when it gives %s', async (_what, value) => {
    await behaving(name, (response) => SYSTEMS[name]!.give(response, value))
    expect((await failure(find())).code).toBe('CLI_AMBIENT_REFUSED')
  })

  it.each(['sts.amazonaws.com', ['a', 'b'], undefined, 5])(
    'gives no token that is for %j, and does not show it',
    async (aud) => {
      const foreign = unsignedToken({
        iss: 'https://ci.example.com',
        sub: 'job-1',
        ...(aud === undefined ? {} : { aud }),
      })
      await behaving(name, (response) => SYSTEMS[name]!.give(response, foreign))
      const { code, text } = await failure(find())
      expect(code).toBe('CLI_AMBIENT_REFUSED')
      expect(text).not.toContain(foreign.split('.')[1])
    },
  )

  it('is not taken at its word when it is cut off', async () => {
    const server = await netServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Length: 500\r\n\r\n{"val'),
      )
    })
    servers.push(server)
    SYSTEMS[name]!.point(server.url)
    const { code } = await failure(find('sigstore', name))
    expect(['SIGN_SERVICE_UNREACHABLE', 'CLI_AMBIENT_ABSENT']).toContain(code)
  })
})

describe('secrets of a job', () => {
  it.each(['github-actions', 'buildkite-agent'])(
    'go to no address of %s that is plain http on another machine',
    async (name) => {
      let sent = 0
      const http = { ...context.http, fetch: async () => ((sent += 1), new Response('{}')) }
      for (const url of [
        'http://ci.example.com',
        'http://127.0.0.1.example.com',
        'ftp://127.0.0.1',
        'nonsense',
        '//x',
      ]) {
        SYSTEMS[name]!.point(url)
        expect((await failure(find('sigstore', undefined, http))).code).toBe('CLI_AMBIENT_REFUSED')
      }
      expect(sent).toBe(0)
    },
  )

  it('go to no other path of Buildkite', async () => {
    await behaving('buildkite-agent', (response) => json(response, { token: token() }))
    environment['BUILDKITE_JOB_ID'] = '../../other'
    await expect(find()).resolves.toEqual({ lacking: [] })
    expect(asked).toEqual([])
  })
})

describe('google', () => {
  it('is recognised by the name of the machine, and is absent where that has no service account', async () => {
    const http = {
      ...context.http,
      fetch: async (url: string) => {
        expect(url).toMatch(/^http:\/\/metadata\.google\.internal\//)
        return url.endsWith('/email')
          ? new Response('', { status: 404 })
          : new Response(token(), { headers: { 'metadata-flavor': 'Google' } })
      },
    }
    for (const name of ['QEMU', 'Google Cloud-like', '']) {
      await writeFile(context.ambientPlaces!.productName, name)
      await expect(
        find('sigstore', undefined, { ...http, fetch: () => Promise.reject(new Error('asked')) }),
      ).resolves.toEqual({
        lacking: [],
      })
    }
    await writeFile(context.ambientPlaces!.productName, 'Google Compute Engine\n')
    await expect(find('sigstore', undefined, http)).resolves.toEqual({ lacking: [] })
  })

  it('is not believed without its header', async () => {
    environment['GCE_METADATA_HOST'] = new URL(
      await serve((response, request) =>
        answer(response, 200, token(), isProbe(request) ? { 'metadata-flavor': 'Google' } : {}),
      ),
    ).host
    expect((await failure(find())).code).toBe('CLI_AMBIENT_REFUSED')
  })

  it('makes a token of another service account, whose name cannot change the address', async () => {
    const metadata = await serve((response) =>
      json(response, { access_token: SECRET }, { 'metadata-flavor': 'Google' }),
    )
    const iam = await serve((response) => json(response, { token: token() }))
    environment['GCE_METADATA_HOST'] = new URL(metadata).host
    environment['GOOGLE_SERVICE_ACCOUNT_NAME'] = '../signer@project.example.com?x'
    const real = context.http.fetch
    const http = {
      ...context.http,
      fetch: (url: string, init: RequestInit) => real(url.replace('https://iamcredentials.googleapis.com', iam), init),
    }
    await expect(find('sigstore', undefined, http)).resolves.toMatchObject({ found: { provider: 'google' } })
    expect(asked.map(({ url }) => url)).toEqual([
      '/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform',
      '/v1/projects/-/serviceAccounts/..%2Fsigner%40project.example.com%3Fx:generateIdToken',
    ])
    expect(asked[1]).toMatchObject({
      headers: { authorization: `Bearer ${SECRET}` },
      body: '{"audience":"sigstore","includeEmail":true}',
    })
  })
})
