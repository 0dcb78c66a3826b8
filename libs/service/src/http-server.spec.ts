import { request, type RequestListener, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { listen, type ConnectionLimits, type HttpServer } from './http-server.js'

const servers: HttpServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => server.drain(0)))
})

async function serve(handler: RequestListener, limits: Partial<ConnectionLimits> = {}): Promise<HttpServer> {
  const server = await listen(handler, '127.0.0.1', 0, limits)
  servers.push(server)
  return server
}

/** A connection, with everything that was read from it when it ended. */
function open(server: HttpServer, text: string): { socket: Socket; ended: Promise<string>; read: () => string } {
  const socket = connect(server.port, '127.0.0.1')
  sockets.push(socket)
  let all = ''
  socket.on('data', (chunk: Buffer) => (all += chunk.toString()))
  socket.on('error', () => undefined)
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(all)))
  socket.write(text)
  return { socket, ended, read: () => all }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
const hello: RequestListener = (_request, response) => response.end('hello')

describe('limits', () => {
  it('gives a header of 64 KB to the handler', async () => {
    const server = await serve((message, response) => response.end(String(message.headers.authorization?.length)))
    const { ended } = open(
      server,
      `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: ${'a'.repeat(65_536)}\r\n\r\n`,
    )
    expect(await ended).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n65536$/s)
  })

  it('answers headers of more than 1 MiB with a plain 431', async () => {
    const server = await serve(hello)
    const { ended } = open(server, `GET / HTTP/1.1\r\nhost: a\r\nauthorization: ${'a'.repeat((1 << 20) + 1)}\r\n\r\n`)
    expect(await ended).toMatch(
      /^HTTP\/1\.1 431 Request Header Fields Too Large\r\nContent-Type: text\/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 36\r\n\r\n431 Request Header Fields Too Large\n$/,
    )
  })

  it('answers what is not HTTP with a plain 400', async () => {
    const server = await serve(hello)
    expect(await open(server, 'hello there\r\n\r\n').ended).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })

  it.each([
    ['headers', 'GET / HTTP/1.1\r\nhost: a\r\nx-slow'],
    ['a first byte', ''],
  ])('closes a connection that is slow with %s', async (_, start) => {
    const server = await serve(hello, { headersMs: 50, requestMs: 60, checkEveryMs: 20 })
    expect(await open(server, start).ended).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
  })

  it('closes a connection that is slow with its body', async () => {
    const server = await serve((message) => void message.resume(), { headersMs: 50, requestMs: 60, checkEveryMs: 20 })
    const { ended } = open(server, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf')
    expect(await ended).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
  })

  it('closes a connection that asks for much and does not read it', async () => {
    let closed = (): void => undefined
    const gone = new Promise<void>((resolve) => (closed = resolve))
    const server = await serve((_request, response) => void response.once('close', closed).end(Buffer.alloc(64 << 20)), { stalledMs: 100 }) // prettier-ignore
    const { socket } = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    socket.pause()
    await gone
  })

  it('gives no more than 64 unanswered requests of a connection to the handler, and refuses the next', async () => {
    const running: ServerResponse[] = []
    const server = await serve((_request, response) => void running.push(response))
    const { ended } = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(200))
    await until(() => running.length >= 64)
    for (const response of running) response.end('hello')
    const answers = (await ended).match(/(?<=HTTP\/1\.1 )\d+/g)
    expect(answers).toEqual([...Array<string>(64).fill('200'), '429'])
    expect(running).toHaveLength(64)
  })

  it('closes a connection that was answered and asks nothing more', async () => {
    const server = await serve(hello, { idleMs: 50 })
    expect(await open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n').ended).toMatch(/^HTTP\/1\.1 200 OK.*hello$/s)
  })

  it('closes a connection that was answered and then sends empty lines on and on, which begin no request', async () => {
    const server = await serve(hello, { idleMs: 50, headersMs: 50, checkEveryMs: 20 })
    const { socket, ended } = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    const drip = setInterval(() => void (socket.writable && socket.write('\r\n')), 10)
    expect(await ended).toMatch(/^HTTP\/1\.1 200 OK.*hello$/s)
    clearInterval(drip)
  })

  it('a client that resets its connection harms nobody', async () => {
    const server = await serve(hello)
    const { socket } = open(server, 'GET / HTTP/1.1\r\nhost: a\r\nx-slow')
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.resetAndDestroy()
    expect(await open(server, 'GET / HTTP/1.0\r\n\r\n').ended).toContain('hello')
  })
})

describe('what cannot be listened on', () => {
  it('is a taken port', async () => {
    const server = await serve(hello)
    await expect(listen(hello, '127.0.0.1', server.port)).rejects.toThrowCode('SERVICE_PORT_TAKEN')
  })

  it('is an address of another machine', async () => {
    await expect(listen(hello, '192.0.2.1', 0)).rejects.toThrowCode('SERVICE_LISTEN_FAILED')
  })
})

describe('drain', () => {
  it('answers what runs, closes what is idle or silent at once, and takes nothing new', async () => {
    const running: ServerResponse[] = []
    const server = await serve((message, response) => {
      if (message.url === '/slow') running.push(response)
      else response.end('quick')
    })
    const slow = open(server, 'GET /slow HTTP/1.1\r\nhost: a\r\n\r\n')
    const idle = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    const silent = open(server, '')
    const begun = open(server, 'GET / HTTP/1.1\r\nhost')
    await until(() => running.length === 1 && idle.read().endsWith('quick'))
    const drained = server.drain(60_000)
    expect(await silent.ended).toBe('')
    expect(await begun.ended).toBe('')
    expect(await idle.ended).toMatch(/quick$/)
    await new Promise<void>((resolve, reject) => {
      const late = request({ host: '127.0.0.1', port: server.port, agent: false }, () => reject(new Error('answered')))
      late.on('error', () => resolve()).end()
    })
    running[0]!.end('done')
    expect(await slow.ended).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Connection: close\r\n.*done$/is)
    await drained
  })

  it('ends also when clients ask on and on over connections that are never idle', async () => {
    let answered = 0
    const server = await serve((_request, response) => void setTimeout(() => response.end('x', () => answered++), 2))
    const busy = Array.from({ length: 5 }, () => {
      const { socket, ended } = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
      socket.on('data', () => socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'))
      return ended
    })
    await until(() => answered > 20)
    await server.drain(60_000)
    const answers = await Promise.all(busy)
    expect(answers.every((text) => text.endsWith('x') || text.endsWith('0\r\n\r\n'))).toBe(true)
  })

  it('closes an answer that had begun when it is complete', async () => {
    let end = (): void => undefined
    const server = await serve((_request, response) => {
      response.write('first ')
      end = () => void response.end('last')
    })
    const begun = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(() => begun.read().includes('first'))
    const drained = server.drain(60_000)
    end()
    expect(await begun.ended).toContain('last')
    await drained
  })

  it('cuts off what still runs at the deadline', async () => {
    const server = await serve(() => undefined)
    const { ended, socket } = open(server, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await new Promise((resolve) => socket.once('connect', () => setTimeout(resolve, 20)))
    await server.drain(30)
    expect(await ended).toBe('')
  })
})
