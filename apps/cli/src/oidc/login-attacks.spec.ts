import { connect } from 'node:net'
import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testHttp } from '../../../../libs/sign/src/testing/servers.js'
import { TestProvider } from '../testing/provider.js'
import { browserLogin } from './browser-login.js'
import { discoverProvider } from './discovery.js'

// Reliability test J6: what another program on this machine, another page in the browser or another provider can try against a login.

let provider: TestProvider
beforeEach(async () => {
  provider = await TestProvider.start()
})
afterEach(() => provider.close())

/** Logs in while `attack` does what it wants with the login's own redirect; resolves with the outcome. */
async function attacked(attack: (redirect: URL) => Promise<unknown>, waitMs = 2000): Promise<unknown> {
  const found = await discoverProvider(provider.issuer, testHttp())
  let acting: Promise<unknown> = Promise.resolve()
  const open = async (url: string): Promise<boolean> => {
    acting = attack(provider.approve(url)).catch((error: unknown) => error)
    return true
  }
  const outcome = await browserLogin(found, { http: testHttp(), open, announce: () => undefined, waitMs }).catch(
    (error: unknown) => error,
  )
  await acting
  return outcome
}

const statusOf = async (url: URL | string, init: RequestInit = {}): Promise<number> => (await fetch(url, init)).status
const tokenRequests = (): number => provider.requests.filter(({ path }) => path === '/token').length

describe('the listener of a login', () => {
  it('is bound to the loopback addresses and to nothing else', async () => {
    let bound: string[] = []
    let reached: string[] = []
    await attacked(async (redirect) => {
      const port = Number(redirect.port)
      if (process.platform === 'linux') bound = listenersOn(port)
      const addresses = Object.values(networkInterfaces())
        .flat()
        .filter((one) => one?.internal === false && one.family === 'IPv4')
        .map((one) => one!.address)
      const tried = await Promise.all(addresses.map(async (host) => ((await connects(host, port)) ? [host] : [])))
      reached = tried.flat()
      await fetch(redirect)
    })
    expect(reached).toEqual([])
    for (const address of bound) expect(['0100007F', '00000000000000000000000001000000']).toContain(address)
    if (process.platform === 'linux') expect(bound.length).toBeGreaterThan(0)
  })

  it('ends the login, with no request to the provider, when a program that cannot know the state posts a code of its own', async () => {
    const statuses: number[] = []
    const outcome = await attacked(async (redirect) => {
      const forged = new URL(redirect)
      forged.searchParams.set('code', 'code-of-mallory')
      forged.searchParams.set('state', 'guessed')
      statuses.push(await statusOf(forged), await statusOf(redirect).catch(() => 0))
    })
    expect(outcome).toMatchObject({ code: 'CLI_LOGIN_STATE' })
    // The person's own answer comes too late: one answer is taken, and it was the forged one.
    expect(statuses[0]).toBe(400)
    expect(statuses[1]).not.toBe(200)
    expect(tokenRequests()).toBe(0)
  })

  it('takes nothing by POST, with a body, in a fragment or from a page of another origin that cannot know the state', async () => {
    const outcome = await attacked(async (redirect) => {
      const bare = `${redirect.origin}${redirect.pathname}`
      const statuses = [
        await statusOf(redirect, { method: 'POST', body: redirect.search.slice(1) }),
        await statusOf(redirect, { method: 'PUT' }),
        await statusOf(redirect, { method: 'HEAD' }),
        await statusOf(`${redirect.origin}/?${redirect.searchParams.toString()}`),
        await statusOf(`${bare}/?${redirect.searchParams.toString()}`),
      ]
      expect(statuses).toEqual([404, 404, 404, 404, 404])
      expect(await statusOf(redirect)).toBe(200)
    })
    expect(outcome).toMatchObject({ idToken: expect.stringMatching(/^ey/) })
  })

  it('is not held up by programs that connect and say nothing, and ends in time all the same', async () => {
    const sockets: ReturnType<typeof connect>[] = []
    const outcome = await attacked(async (redirect) => {
      for (let i = 0; i < 50; i++)
        sockets.push(connect(Number(redirect.port), '127.0.0.1').on('error', () => undefined))
      await fetch(redirect)
    })
    expect(outcome).toMatchObject({ idToken: expect.stringMatching(/^ey/) })
    const late = await attacked(async (redirect) => {
      sockets.push(connect(Number(redirect.port), '127.0.0.1').on('error', () => undefined))
    }, 50)
    expect(late).toMatchObject({ code: 'CLI_LOGIN_TIMEOUT' })
    for (const socket of sockets) socket.destroy()
  })

  it('shows nothing of what it was sent', async () => {
    let page = ''
    await attacked(async (redirect) => {
      const marked = new URL(redirect)
      marked.searchParams.set('error', '<script>mark</script>')
      page = await (await fetch(marked)).text()
    })
    expect(page).toContain('Not logged in')
    expect(page).not.toContain('mark')
  })
})

describe('a login', () => {
  it('does not take a code that was made for another login of the same provider', async () => {
    const stolen = { url: '' }
    await attacked(async (redirect) => {
      stolen.url = redirect.searchParams.get('code')!
      throw new Error('the answer never comes')
    }, 20)
    const outcome = await attacked(async (redirect) => {
      redirect.searchParams.set('code', stolen.url)
      await fetch(redirect)
    })
    // The provider refuses it: the proof of RFC 7636 belongs to the login that asked for the code.
    expect(outcome).toMatchObject({ code: 'CLI_LOGIN_FAILED' })
  })

  it.each([
    ['for another audience', { claims: { aud: 'other' } }, 'CLI_LOGIN_FAILED'],
    ['by another issuer', { claims: { iss: 'https://evil.example.com' } }, 'CLI_LOGIN_FAILED'],
    ['with no signature', { header: { alg: 'none' } }, 'CLI_LOGIN_FAILED'],
    ['signed with a shared secret', { header: { alg: 'HS256' } }, 'CLI_LOGIN_FAILED'],
    ['with another nonce', { claims: { nonce: 'other' } }, 'CLI_LOGIN_NONCE'],
    ['with a nonce that is no text', { claims: { nonce: ['x'] } }, 'CLI_LOGIN_NONCE'],
  ])('does not take a token %s', async (_name, behaviour, code) => {
    provider.behaviour = behaviour
    expect(await attacked((redirect) => fetch(redirect))).toMatchObject({ code })
  })

  it('insists on the name of the provider where the provider says that it gives it (RFC 9207)', async () => {
    provider.behaviour = { discovery: { authorization_response_iss_parameter_supported: true } }
    expect(await attacked((redirect) => fetch(redirect))).toMatchObject({ code: 'CLI_LOGIN_FAILED' })
    const named = await attacked((redirect) => {
      redirect.searchParams.set('iss', provider.issuer)
      return fetch(redirect)
    })
    expect(named).toMatchObject({ idToken: expect.stringMatching(/^ey/) })
  })

  it('sends the code to the token endpoint alone: a redirect from there is refused', async () => {
    provider.behaviour = { tokenAnswers: [[307, '']] }
    expect(await attacked((redirect) => fetch(redirect))).toMatchObject({ code: 'SIGN_SERVICE_ANSWER' })
    expect(tokenRequests()).toBe(1)
  })
})

/** Addresses, as the kernel writes them, that something listens on at a port. */
function listenersOn(port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).flatMap((file) => {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(wanted) === true && state === '0A')
      .map(([, local]) => local!.split(':')[0]!)
  })
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 }, () => {
      socket.destroy()
      resolve(true)
    })
    const no = (): void => {
      socket.destroy()
      resolve(false)
    }
    socket.on('error', no)
    socket.on('timeout', no)
  })
}
