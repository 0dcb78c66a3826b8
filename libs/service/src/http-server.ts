import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { startListening } from './start-listening.js'

/** Fulcio's limit, which its clients may count on: a token in a header may be long. Read before anything is allocated for it. */
const MAX_HEADER_BYTES = 1 << 20
const MAX_CONNECTIONS = 12_000
/** Requests of one connection that wait for their answers. Clients send one after the other; who piles them up would have more than one connection's share. */
const MAX_UNANSWERED = 64

/** How long a client may take; all in milliseconds. */
export interface ConnectionLimits {
  readonly headersMs: number
  /** Headers and body together. */
  readonly requestMs: number
  /** Between an answer and the next request. */
  readonly idleMs: number
  /** Without a byte either way, also while an answer waits to be read: a client that asks for much and reads nothing would hold it in memory for ever. */
  readonly stalledMs: number
  /** How often slow ones are looked for. */
  readonly checkEveryMs: number
}

const LIMITS: ConnectionLimits = {
  headersMs: 15_000,
  requestMs: 60_000,
  idleMs: 65_000,
  stalledMs: 90_000,
  checkEveryMs: 5_000,
}

export interface HttpServer {
  readonly port: number
  /** Takes no new connection, lets running requests end for at most `deadlineMs`, then closes what is left. */
  drain(deadlineMs: number): Promise<void>
}

const NO_HEADERS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** A request that is not HTTP, or whose headers are too many or too slow, gets one plain answer and the connection is closed. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = NO_HEADERS[error.code ?? ''] ?? '400 Bad Request'
  const text = `${status}\n`
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  )
}

/** The answer waits behind those before it, and is the connection's last. */
function refusePiledUp(response: ServerResponse): void {
  const text = `no more than ${MAX_UNANSWERED} requests of one connection may wait for their answers\n`
  response.writeHead(429, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(text)
}

/** Listens, with limits on headers, connections, requests of a connection and slow senders. Throws SERVICE_PORT_TAKEN or SERVICE_LISTEN_FAILED. */
export async function listen(
  handler: RequestListener,
  address: string,
  port: number,
  limits: Partial<ConnectionLimits> = {},
): Promise<HttpServer> {
  const { headersMs, requestMs, idleMs, stalledMs, checkEveryMs } = { ...LIMITS, ...limits }
  const connections = new Connections()
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: checkEveryMs,
  }
  const server: Server = createServer(options, (request, response) => {
    if (connections.began(response) > MAX_UNANSWERED) return refusePiledUp(response)
    handler(request, response)
  })
  server.maxConnections = MAX_CONNECTIONS
  // A socket without a byte either way for so long is destroyed; no listener for it may be added, or it would not be.
  server.timeout = stalledMs
  server.on('clientError', refuseBroken)
  server.on('connection', (socket) => connections.opened(socket))
  const sweep = setInterval(() => connections.closeIdle(idleMs + headersMs), checkEveryMs)
  sweep.unref()
  server.once('close', () => clearInterval(sweep))
  const bound = await startListening(server, address, port, '--port')
  return { port: bound, drain: (deadlineMs) => drain(server, connections, deadlineMs) }
}

/** Which connections have a running request: Node cannot tell one that never sent anything from one that is sending. */
class Connections {
  readonly #running = new Map<Socket, Set<ServerResponse>>()
  /** Since when a connection that was answered has had nothing to do, by the clock of the process. */
  readonly #idle = new Map<Socket, number>()
  #draining = false

  opened(socket: Socket): void {
    this.#running.set(socket, new Set())
    socket.once('close', () => {
      this.#running.delete(socket)
      this.#idle.delete(socket)
    })
  }

  /** How many requests of this connection are unanswered, with this one. */
  began(response: ServerResponse): number {
    const socket = response.req.socket
    const running = this.#running.get(socket)
    running?.add(response)
    this.#idle.delete(socket)
    response.once('close', () => {
      const others = this.#running.get(socket)
      others?.delete(response)
      if (others?.size !== 0) return
      if (this.#draining) socket.destroySoon()
      else this.#idle.set(socket, performance.now())
    })
    return running?.size ?? 0
  }

  /**
   * Closes what has been answered and has begun no request for so long. Node's own limit starts again with every byte, so that a client who sends empty
   * lines (RFC 9112 §2.2), which begin nothing, would keep its connection for ever.
   */
  closeIdle(limitMs: number): void {
    const oldest = performance.now() - limitMs
    for (const [socket, since] of this.#idle) {
      // In the order in which they became idle.
      if (since > oldest) return
      socket.destroy()
    }
  }

  /** Closes every connection as soon as it has no running request; a client that sends on and on would keep its own busy for ever. */
  drain(): void {
    this.#draining = true
    for (const [socket, responses] of this.#running) {
      for (const response of responses) response.shouldKeepAlive = false
      if (responses.size === 0) socket.destroy()
    }
  }
}

function drain(server: Server, connections: Connections, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const last = setTimeout(() => server.closeAllConnections(), deadlineMs)
    server.close(() => {
      clearTimeout(last)
      resolve()
    })
    connections.drain()
  })
}
