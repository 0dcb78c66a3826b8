import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CliError } from '../errors.js'

const TRIES = 5

export interface LoopbackListener {
  readonly port: number
  close(): void
}

/**
 * Listens on a free port of both loopback addresses, since a browser may take either for `localhost`: with one of them left free, another
 * program of this machine could sit there and receive what is meant for us. A machine without IPv6 has one. Throws CLI_LOGIN_FAILED.
 */
export async function listenOnLoopback(handler: RequestListener): Promise<LoopbackListener> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const first = createServer(handler)
    await listen(first, '127.0.0.1', 0)
    const { port } = first.address() as AddressInfo
    const second = createServer(handler)
    try {
      await listen(second, '::1', port)
    } catch (error) {
      close(second)
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
        close(first)
        continue
      }
    }
    return {
      port,
      close: () => {
        close(first)
        close(second)
      },
    }
  }
  throw new CliError('CLI_LOGIN_FAILED', 'no port of this machine is free on both of its loopback addresses', {
    hint: 'Log in with --device instead.',
  })
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server): void {
  server.closeAllConnections()
  server.close()
}
