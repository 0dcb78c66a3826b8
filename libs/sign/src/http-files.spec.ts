import { afterEach, describe, expect, it } from '@jest/globals'
import { HttpFiles, type HttpFilesOptions } from './http-files.js'
import { answer, httpServer, netServer, type LocalServer } from './testing/servers.js'

const servers: LocalServer[] = []
const opened: HttpFiles[] = []
afterEach(async () => {
  for (const files of opened.splice(0)) files.close()
  await Promise.all(servers.splice(0).map((server) => server.close()))
})
async function serving(server: Promise<LocalServer>): Promise<string> {
  servers.push(await server)
  return servers.at(-1)!.url
}

const pauses: number[] = []
function files(change: Partial<HttpFilesOptions> = {}): HttpFiles {
  pauses.length = 0
  const sleep = async (ms: number): Promise<void> => void pauses.push(ms)
  opened.push(
    new HttpFiles({
      connections: 2,
      timeoutMs: 5_000,
      tries: 3,
      limitBytes: 1000,
      sleep,
      random: () => 0.5,
      ...change,
    }),
  )
  return opened.at(-1)!
}

function statuses(list: number[], headers = {}): Promise<string> {
  let at = 0
  return serving(
    httpServer((_, response) => answer(response, list[Math.min(at++, list.length - 1)]!, `answer ${at}`, headers)),
  )
}

describe('HttpFiles', () => {
  it.each([200, 301, 404])('gives an answer of %d as it is', async (status) => {
    const { body, ...rest } = await files().read('log', await statuses([status]))
    expect([rest, Buffer.from(body).toString(), pauses]).toEqual([{ status }, 'answer 1', []])
  })

  it.each([500, 503, 429, 408])('asks again after %d', async (status) => {
    expect((await files().read('log', await statuses([status, status, 200]))).status).toBe(200)
    expect(pauses).toEqual([250, 500])
  })

  it('gives up after its tries, and waits as long as it is told', async () => {
    await expect(files().read('log', await statuses([503], { 'retry-after': '2' }))).rejects.toThrowCode(
      'SIGN_SERVICE_FAILED',
    )
    expect(pauses).toEqual([2250, 2500])
  })

  it('does not come back to a service that asks to be left alone for long', async () => {
    await expect(files().read('log', await statuses([503, 200], { 'retry-after': '31' }))).rejects.toThrowCode(
      'SIGN_SERVICE_FAILED',
    )
    expect(pauses).toEqual([])
  })

  it('does not take an answer that was cut off', async () => {
    const url = await serving(netServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')))
    await expect(files().read('log', url)).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
  })

  it('does not wait for ever, and does not take what is too large', async () => {
    const silent = await serving(netServer(() => undefined))
    await expect(files({ timeoutMs: 50 }).read('log', silent)).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
    const large = await serving(httpServer((_, response) => answer(response, 200, 'x'.repeat(1001))))
    await expect(files().read('log', large)).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('keeps its connections, and opens no more than it may', async () => {
    const ports = new Set<number | undefined>()
    const url = await serving(
      httpServer((request, response) => {
        ports.add(request.socket.remotePort)
        answer(response, 200, 'yes')
      }),
    )
    const reader = files()
    await Promise.all(Array.from({ length: 40 }, () => reader.read('log', url)))
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it('says that nobody is there', async () => {
    const url = await statuses([200])
    await servers.pop()!.close()
    await expect(files().read('log', url)).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
  })
})
