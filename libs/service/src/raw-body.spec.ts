import { createServer, IncomingMessage, request as httpRequest, type Server } from 'node:http'
import { connect, Socket, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { BodyBudget, rawBody } from './raw-body.js'

const LIMIT = 1000

describe('rawBody on a connection', () => {
  let server: Server
  let port: number
  let outcomes: (string | number)[]
  let began: Promise<void>
  let settled: Promise<void>

  beforeEach(async () => {
    outcomes = []
    let begin: () => void
    let settle: () => void
    began = new Promise((resolve) => (begin = resolve))
    settled = new Promise((resolve) => (settle = resolve))
    server = createServer((request, response) => {
      begin()
      rawBody(request, LIMIT)
        .then(
          (body) => outcomes.push(body.length),
          (error: { code: string }) => outcomes.push(error.code),
        )
        .then(() => response.end(String(outcomes.at(-1))))
        .then(() => settle())
        .catch(() => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const post = (body: Buffer, headers: Record<string, string>): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text))
      })
      sent.on('error', reject).end(body)
    })
  const declared = (length: number): Record<string, string> => ({ 'content-length': String(length) })

  it.each([0, 1, LIMIT])('gives a body of %i bytes, declared or not', async (length) => {
    expect(await post(Buffer.alloc(length), declared(length))).toBe(String(length))
    expect(await post(Buffer.alloc(length), { 'transfer-encoding': 'chunked' })).toBe(String(length))
  })

  it('refuses one byte too many, declared or not, and the client reads the answer', async () => {
    const large = Buffer.alloc(LIMIT + 1)
    expect(await post(large, declared(large.length))).toBe('SERVICE_BODY_TOO_LARGE')
    expect(await post(large, { 'transfer-encoding': 'chunked' })).toBe('SERVICE_BODY_TOO_LARGE')
    const huge = Buffer.alloc(5 * 1024 * 1024)
    expect(await post(huge, declared(huge.length))).toBe('SERVICE_BODY_TOO_LARGE')
  })

  it('answers a declared length that is too large before a byte of it has come', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n')
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
    expect(answer.toString()).toContain('SERVICE_BODY_TOO_LARGE')
    socket.destroy()
  })

  it('cuts off a sender that goes on for ever after it was refused', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n')
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000), Buffer.from('\r\n')])
    let sent = 0
    const pump = (): void => {
      while (!socket.destroyed && sent < 200 && socket.write(chunk)) sent++
      if (!socket.destroyed && sent++ < 200) socket.once('drain', pump)
    }
    pump()
    await closed
    expect(outcomes).toEqual(['SERVICE_BODY_TOO_LARGE'])
    expect(sent).toBeLessThan(200)
  })

  it('says when the client goes away in the middle', async () => {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve) =>
      socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\nhalf', () => resolve()),
    )
    await began
    socket.destroy()
    await settled
    expect(outcomes).toEqual(['SERVICE_BODY_ABORTED'])
  })
})

describe('rawBody on a message', () => {
  const message = (): IncomingMessage => new IncomingMessage(new Socket())
  afterEach(() => {
    jest.useRealTimers()
  })

  it('gives the bytes of many pieces in their order', async () => {
    const request = message()
    const body = rawBody(request, LIMIT)
    const all = Buffer.from(Array.from({ length: LIMIT }, (_, index) => index % 251))
    for (const byte of all) request.push(Buffer.of(byte))
    request.push(null)
    expect(Buffer.from(await body)).toEqual(all)
  })

  it('a body in pieces of one byte takes no more memory than twice its length', async () => {
    const request = message()
    const body = rawBody(request, 4 * 1024 * 1024)
    for (let i = 0; i < 5000; i++) request.push(Buffer.of(1))
    request.push(null)
    const bytes = await body
    expect(bytes.length).toBe(5000)
    expect(bytes.buffer.byteLength).toBeLessThanOrEqual(2 * 5000 + Buffer.poolSize)
  })

  it('large bodies that are on their way share what there is; small ones need none of it', async () => {
    const limit = 1024 * 1024
    const budget = new BodyBudget(limit)
    const begin = (bytes: number): { request: IncomingMessage; body: Promise<Uint8Array> } => {
      const request = message()
      const body = rawBody(request, limit, budget)
      body.catch(() => undefined)
      for (let sent = 0; sent < bytes; sent += 1000) request.push(Buffer.alloc(Math.min(1000, bytes - sent)))
      return { request, body }
    }
    const slow = [begin(400_000), begin(400_000)]
    await new Promise((resolve) => setImmediate(resolve))
    const more = begin(400_000)
    await expect(more.body).rejects.toThrowCode('SERVICE_BODY_BUSY')
    const small = begin(60_000)
    small.request.push(null)
    expect((await small.body).length).toBe(60_000)
    // What has arrived, or was refused, is given back.
    for (const { request } of slow) request.push(null)
    expect((await Promise.all(slow.map(({ body }) => body))).map((body) => body.length)).toEqual([400_000, 400_000])
    expect(budget.take(limit)).toBe(true)
    expect(budget.take(1)).toBe(false)
  })

  it('refuses a sender that stops in the middle when its time is over', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
    const request = message()
    const body = rawBody(request, LIMIT)
    request.push(Buffer.from('half'))
    jest.advanceTimersByTime(29_999)
    const early = await Promise.race([body.catch(() => 'settled'), Promise.resolve('waits')])
    expect(early).toBe('waits')
    jest.advanceTimersByTime(1)
    await expect(body).rejects.toThrowCode('SERVICE_BODY_TIMEOUT')
  })

  it('does not wait for a client that is gone already', async () => {
    const request = message()
    request.on('error', () => undefined)
    request.destroy()
    await expect(rawBody(request, LIMIT)).rejects.toThrowCode('SERVICE_BODY_ABORTED')
  })

  it('stands an error of the connection after the answer', async () => {
    const request = message()
    const body = rawBody(request, LIMIT)
    request.push(Buffer.alloc(LIMIT + 1))
    await expect(body).rejects.toThrowCode('SERVICE_BODY_TOO_LARGE')
    expect(() => request.emit('error', new Error('reset'))).not.toThrow()
  })
})
