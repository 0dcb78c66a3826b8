import type { IncomingMessage } from 'node:http'
import { ServiceError } from './errors.js'

/** A body must arrive whole within this time; a slower sender holds a connection for nothing. */
const BODY_DEADLINE_MS = 30_000
/** What a refused sender may still send before it is cut off: enough that a client which first sends and then reads gets its answer. */
const DISCARDED_BYTES = 16 * 1024 * 1024
/** Of each body these need no room in the budget: an ordinary request goes on while large ones fill it. */
const FREE_BYTES = 64 * 1024
const MAX_ARRIVING_BYTES = 256 * 1024 * 1024

/** Room for bodies that are on their way: thousands of connections could each hold one that never ends. */
export class BodyBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** False, and nothing is taken, when there is less. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

/** That of this process. */
const arriving = new BodyBudget(MAX_ARRIVING_BYTES)

/**
 * Reads a request's body as bytes, at most `limitBytes` of them. A declared length over the limit is refused before a byte is read;
 * an undeclared one as soon as it passes the limit. Content-Encoding is never decoded, so a body cannot grow after this.
 * Throws SERVICE_BODY_TOO_LARGE, SERVICE_BODY_ABORTED (the client went away), SERVICE_BODY_TIMEOUT, or SERVICE_BODY_BUSY when too much is on its way to this
 * process already.
 */
export function rawBody(
  request: IncomingMessage,
  limitBytes: number,
  budget: BodyBudget = arriving,
): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
    discard(request)
    return Promise.reject(tooLarge(limitBytes))
  }
  if (request.destroyed) return Promise.reject(aborted())
  return new Promise((resolve, reject) => {
    const collected = new Collected(limitBytes, budget)
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      collected.release()
      request.removeListener('data', onData).removeListener('end', onEnd).removeListener('close', onClose)
      // An error event without a listener would end the process, and this one would keep the body as long as there is the request.
      request.removeListener('error', onClose).on('error', nothing)
      settle()
    }
    const refuse = (error: ServiceError): void => finish(() => reject(error))
    const onData = (chunk: Buffer): void => {
      const refusal = collected.add(chunk)
      if (refusal === undefined) return
      refuse(refusal)
      discard(request)
    }
    const onEnd = (): void => {
      const bytes = collected.bytes()
      finish(() => resolve(bytes))
    }
    const onClose = (): void => refuse(aborted())
    const timer = setTimeout(() => {
      refuse(new ServiceError('SERVICE_BODY_TIMEOUT', `the request did not arrive within ${BODY_DEADLINE_MS / 1000} s`))
      discard(request)
    }, BODY_DEADLINE_MS)
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

/**
 * The bytes so far, in one buffer that doubles: a body sent in chunks of one byte costs no more than one sent whole, where an array of chunks
 * would cost hundreds of times its length. A body that arrives in one piece, as most do, is not copied.
 */
class Collected {
  readonly #limit: number
  readonly #budget: BodyBudget
  #taken = 0
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  constructor(limit: number, budget: BodyBudget) {
    this.#limit = limit
    this.#budget = budget
  }

  /** Why this chunk is not taken. */
  add(chunk: Buffer): ServiceError | undefined {
    const length = this.#length + chunk.length
    if (length > this.#limit) return tooLarge(this.#limit)
    if (this.#length === 0) this.#buffer = chunk
    else {
      if (length > this.#buffer.length && !this.#grow(length)) return busy()
      chunk.copy(this.#buffer, this.#length)
    }
    this.#length = length
    return undefined
  }

  /** Gives back what was taken from the budget and forgets the bytes, which are as old as the request else: the body has arrived, or is refused. */
  release(): void {
    this.#budget.give(this.#taken)
    this.#taken = 0
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  #grow(wanted: number): boolean {
    const capacity = Math.min(this.#limit, Math.max(wanted, 2 * this.#buffer.length))
    const more = Math.max(0, capacity - FREE_BYTES) - this.#taken
    if (!this.#budget.take(more)) return false
    this.#taken += more
    const larger = Buffer.allocUnsafeSlow(capacity)
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
    return true
  }
}

function nothing(): void {}

/** What a refused sender still sends is dropped, so that it comes to read its answer; one that goes on and on loses its connection. */
function discard(request: IncomingMessage): void {
  let left = DISCARDED_BYTES
  request.on('error', nothing)
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
}

function tooLarge(limitBytes: number): ServiceError {
  return new ServiceError('SERVICE_BODY_TOO_LARGE', `the request body is larger than ${limitBytes} bytes`)
}

function busy(): ServiceError {
  return new ServiceError('SERVICE_BODY_BUSY', 'too many large requests are on their way at this moment', {
    retryAfterSeconds: 2,
  })
}

function aborted(): ServiceError {
  return new ServiceError('SERVICE_BODY_ABORTED', 'the client went away before its request was complete')
}
