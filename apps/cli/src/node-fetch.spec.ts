import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readAtMost } from '@touchmark/encoding'
import { send } from '@touchmark/sign'
import { nodeFetch } from './node-fetch.js'

let server: Server
let url: string
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void

beforeEach(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => answer(request, response, Buffer.concat(parts).toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?x=1`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const text = async (response: Awaited<ReturnType<typeof nodeFetch>>): Promise<string> =>
  Buffer.from((await readAtMost(response.body as AsyncIterable<Uint8Array>, 1 << 20))!).toString()

describe('nodeFetch', () => {
  it('asks and gives status, headers and body', async () => {
    answer = (request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.setHeader('X-Other', 'ä'.normalize('NFD').slice(0, 1))
      response.writeHead(201).end(`${request.method} ${request.url} ${request.headers['user-agent']}`)
    }
    const response = await nodeFetch(url, {})
    expect([response.status, await text(response)]).toEqual([201, 'GET /path?x=1 touchmark'])
    expect(response.headers.get('x-OTHER')).toBe('a')
    expect(response.headers.get('none')).toBeNull()
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  it.each<[string, RequestInit, string, string]>([
    ['text', { body: '{"é":1}', headers: { 'Content-Type': 'application/json' } }, '{"é":1}', 'application/json 8'],
    ['text of no type', { body: 'x' }, 'x', 'text/plain;charset=UTF-8 1'],
    ['bytes', { body: Uint8Array.of(65, 66) }, 'AB', 'undefined 2'],
    ['headers as pairs', { body: 'x', headers: [['content-type', 'a/b']] }, 'x', 'a/b 1'],
    ['headers as such', { body: 'x', headers: new Headers({ 'Content-Type': 'c/d' }) }, 'x', 'c/d 1'],
  ])('sends %s', async (_name, init, body, type) => {
    answer = (request, response, received) =>
      response.end(
        JSON.stringify([received, `${request.headers['content-type']} ${request.headers['content-length']}`]),
      )
    expect(JSON.parse(await text(await nodeFetch(url, { method: 'POST', ...init })))).toEqual([body, type])
  })

  it('follows no redirect', async () => {
    answer = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end()
    const response = await nodeFetch(url, {})
    expect([response.status, response.headers.get('location')]).toEqual([302, '/elsewhere'])
  })

  it.each<[string, () => void]>([
    ['no answer', () => (answer = () => undefined)],
    [
      'half an answer',
      () => (answer = (_request, response) => void response.writeHead(200, { 'content-length': 9 }).write('half')),
    ],
  ])('ends with the reason of its signal when there is %s in time', async (_name, set) => {
    set()
    const asked = nodeFetch(url, { signal: AbortSignal.timeout(50) }).then(text)
    await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('does not ask when its signal came before', async () => {
    await expect(nodeFetch(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('rejects when the connection is lost before or within an answer', async () => {
    answer = (request) => request.socket.destroy()
    await expect(nodeFetch(url, {})).rejects.toMatchObject({ code: 'ECONNRESET' })
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': 9 }).write('half')
      setTimeout(() => request.socket.destroy(), 20)
    }
    await expect(nodeFetch(url, {}).then(text)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it.each(['http://user:pw@127.0.0.1/', 'http://user@127.0.0.1/', 'no url'])('does not ask %s', async (address) => {
    await expect(nodeFetch(address, {})).rejects.toMatchObject({ name: 'TypeError' })
  })

  it.each<[string, string, RequestInit]>([
    ['a header that cannot be sent', 'http://127.0.0.1:1/', { headers: { authorization: 'a\u0000b' } }],
    ['another protocol', 'ftp://127.0.0.1/', {}],
    ['a name and password', 'http://user:pw@127.0.0.1/', {}],
    ['no URL', 'no url', {}],
    ['a body that cannot be sent', 'http://127.0.0.1:1/', { method: 'POST', body: new FormData() }],
  ])('is asked once by send for %s', async (_name, address, init) => {
    const pauses: number[] = []
    const sleep = async (ms: number): Promise<void> => void pauses.push(ms)
    const http = { fetch: nodeFetch, sleep, random: () => 0.5, timeoutMs: 1000, tries: 3 }
    await expect(send('log', address, init, http)).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
    expect(pauses).toEqual([])
  })

  it('is one that send takes: it says in words why nobody answers', async () => {
    server.close()
    const http = { fetch: nodeFetch, sleep: () => Promise.resolve(), random: () => 0.5, timeoutMs: 1000, tries: 2 }
    await expect(send('log', url, {}, http)).rejects.toMatchObject({
      code: 'SIGN_SERVICE_UNREACHABLE',
      details: { found: expect.stringContaining('ECONNREFUSED') },
    })
  })
})
