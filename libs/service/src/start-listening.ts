import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ServiceError } from './errors.js'

const BACKLOG = 4096

/** Binds a server and returns its port; 0 asks for a free one. `flag` is what chooses the port. Throws SERVICE_PORT_TAKEN or SERVICE_LISTEN_FAILED. */
export async function startListening(server: Server, address: string, port: number, flag: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    // Stays for later errors of single connections (no file descriptors left): without a listener they would end the process.
    server.on('error', (error: NodeJS.ErrnoException) => reject(refusal(error, address, port, flag)))
    server.listen(port, address, BACKLOG, resolve)
  })
  return (server.address() as AddressInfo).port
}

function refusal(cause: NodeJS.ErrnoException, address: string, port: number, flag: string): ServiceError {
  if (cause.code === 'EADDRINUSE') {
    return new ServiceError('SERVICE_PORT_TAKEN', `port ${port} on ${address} is in use`, {
      cause,
      hint: `Stop what uses it, or choose another with ${flag}.`,
    })
  }
  return new ServiceError('SERVICE_LISTEN_FAILED', `cannot listen on ${address}, port ${port} (${cause.code})`, {
    cause,
    hint: 'Choose an address of this machine with --listen, and a port above 1023 unless you are root.',
  })
}
