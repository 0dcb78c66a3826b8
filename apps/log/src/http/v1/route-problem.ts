import { requestId } from '@touchmark/service'
import type { Response } from 'express'
import { isOurFault, sendProblemOf, type V1Route } from './problems.js'
import type { V1Settings } from './settings.js'

/** Runs a route; what it throws is reported and answered in this API's words. */
export async function answering(
  settings: V1Settings,
  response: Response,
  route: V1Route,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    settings.report(error, { requestId: requestId(response), ours: isOurFault(error) })
    if (response.headersSent || response.destroyed) return void response.end()
    sendProblemOf(response, error, route)
  }
}
