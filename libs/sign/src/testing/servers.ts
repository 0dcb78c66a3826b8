import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { HttpOptions } from '../http.js'

export interface LocalServer {
  readonly url: string
  close(): Promise<void>
}

async function started(server: Server, end: () => void): Promise<LocalServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        end()
      }),
  }
}

/** A real HTTP server on a free loopback port. */
export function httpServer(handler: RequestListener): Promise<LocalServer> {
  const server = createServer(handler)
  return started(server, () => server.closeAllConnections())
}

/** A server that is handed bare connections, to answer what no HTTP server would. */
export function netServer(handler: (socket: Socket) => void): Promise<LocalServer> {
  const sockets = new Set<Socket>()
  const server = createNetServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    handler(socket)
  })
  return started(server, () => sockets.forEach((socket) => socket.destroy()))
}

/** Collects a request's body. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** Answers with a status and a body. */
export function answer(response: ServerResponse, status: number, body: string | Uint8Array = '', headers = {}): void {
  response.writeHead(status, headers).end(body)
}

/** HTTP options on the real `fetch`, with pauses that are noted instead of waited for. */
export function testHttp(change: Partial<HttpOptions> = {}): HttpOptions & { readonly pauses: number[] } {
  const pauses: number[] = []
  return {
    fetch: (url, init) => fetch(url, init),
    sleep: async (ms) => void pauses.push(ms),
    random: () => 0.5,
    timeoutMs: 10_000,
    tries: 3,
    ...change,
    pauses,
  }
}
