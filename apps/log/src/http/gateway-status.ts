import { escapeUnprintable } from '@touchmark/service'
import type { Response } from 'express'

/** Numbers of gRPC statuses, as they stand in bodies. */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

/** Answers with a gRPC status as the reference's gateway writes it (log-v2.md §6). */
export function sendStatus(response: Response, http: number, code: number, message: string): void {
  const body = Buffer.from(escapeUnprintable(JSON.stringify({ code, message, details: [] })))
  response.status(http).setHeader('Content-Type', 'application/json')
  response.setHeader('Content-Length', body.length)
  response.end(body)
}

export function sendNotFound(response: Response): void {
  sendStatus(response, 404, GRPC.notFound, 'Not Found')
}

/** 501 and no Allow header, for every wrong method, HEAD and OPTIONS included. */
export function sendMethodNotAllowed(response: Response): void {
  sendStatus(response, 501, GRPC.unimplemented, 'Method Not Allowed')
}

/** The read-only answer of a frozen log: the one that is not JSON. */
export function sendFrozen(response: Response): void {
  const body = 'This log has been frozen, please switch to the latest log.\n'
  response.status(405).setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Content-Length', body.length)
  response.end(body)
}
