import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ServiceError } from './errors.js'

/** Fulcio's limit, which its clients may count on: a token in a header may be long. Read before anything is allocated for it. */
const MAX_HEADER_BYTES = 1 << 20
const MAX_CONNECTIONS = 12_000

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

/** Listens, with limits on headers, connections and slow senders. Throws SERVICE_PORT_TAKEN. */
export async function listen(handler: RequestListener, address: string, port: number): Promise<HttpServer> {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
  }
  const server: Server = createServer(options, handler)
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', refuseBroken)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error)
      reject(
        new ServiceError('SERVICE_PORT_TAKEN', `port ${port} on ${address} is in use; choose another with --port`, {
          cause: error,
        }),
      )
    })
    server.listen(port, address, 4096, resolve)
  })
  return { port: (server.address() as AddressInfo).port, drain: (deadlineMs) => drain(server, deadlineMs) }
}

function drain(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const last = setTimeout(() => server.closeAllConnections(), deadlineMs)
    server.close(() => {
      clearTimeout(last)
      resolve()
    })
    server.closeIdleConnections()
    // A keep-alive connection becomes idle when its running answer ends; it is closed then, not after its keep-alive time.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    server.once('close', () => clearInterval(sweep))
  })
}
