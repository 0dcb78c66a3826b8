import type { Response } from 'express'

/** Aborts when the client goes away before it was answered: its entry leaves the queue if it is still there, and disturbs no other. */
export function goneSignal(response: Response): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
