import type { IncomingMessage } from 'node:http'
import { ServiceError } from './errors.js'

/** A body must arrive whole within this time; a slower sender holds a connection for nothing. */
const BODY_DEADLINE_MS = 30_000

/**
 * Reads a request's body as bytes, at most `limitBytes` of them. A declared length over the limit is refused before a byte is read;
 * an undeclared one as soon as it passes the limit. Content-Encoding is never decoded, so a body cannot grow after this.
 * Throws SERVICE_BODY_TOO_LARGE, SERVICE_BODY_ABORTED (the client went away) or SERVICE_BODY_TIMEOUT.
 */
export function rawBody(request: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limitBytes) {
    request.resume()
    return Promise.reject(tooLarge(limitBytes))
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      request.removeListener('data', onData).removeListener('end', onEnd).removeListener('close', onClose)
      settle()
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= limitBytes) return void chunks.push(chunk)
      finish(() => reject(tooLarge(limitBytes)))
      request.resume()
    }
    const onEnd = (): void => finish(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)))
    const onClose = (): void =>
      finish(() =>
        reject(new ServiceError('SERVICE_BODY_ABORTED', 'the client went away before its request was complete')),
      )
    const timer = setTimeout(() => {
      finish(() =>
        reject(
          new ServiceError('SERVICE_BODY_TIMEOUT', `the request did not arrive within ${BODY_DEADLINE_MS / 1000} s`),
        ),
      )
    }, BODY_DEADLINE_MS)
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

function tooLarge(limitBytes: number): ServiceError {
  return new ServiceError('SERVICE_BODY_TOO_LARGE', `the request body is larger than ${limitBytes} bytes`)
}
