import { systemClock } from '@touchmark/clock'
import { createLogger, type MetricSnapshot } from '@touchmark/service'
import { startStandalone, type Standalone } from '../start.js'
import { toSent, type FromWorker, type ToWorker } from './messages.js'

// The program of a worker process. The supervisor alone decides when it ends: a signal that a terminal or a service manager sends to the whole group
// is the supervisor's to act on. A supervisor that dies without a word closes the pipe, and node:cluster then ends this process at once; what was
// acknowledged is committed, and what was not never was.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)

let standalone: Standalone | undefined
let starting: Promise<void> | undefined
let snapshot: (() => Promise<MetricSnapshot>) | undefined

function tell(message: FromWorker): void {
  // A supervisor that is gone hears nothing, and the end of the pipe says the rest.
  if (process.connected) process.send!(message, undefined, undefined, () => undefined)
}

async function start({ config, poolSize, housekeeper }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const logger = createLogger({ level: config.logLevel })
  const worker = { poolSize, housekeeper, useMetrics: (take: typeof snapshot) => (snapshot = take) }
  try {
    standalone = await startStandalone(config, { clock: systemClock, logger, worker })
  } catch (error) {
    tell({ kind: 'refused', error: toSent(error) })
    return
  }
  void standalone.failed.then((error) => tell({ kind: 'fatal', error: toSent(error) }))
  tell({ kind: 'serving', port: standalone.port, greeting: standalone.greeting })
}

async function stop(drainMs: number): Promise<void> {
  await starting
  await standalone?.stop(drainMs)
  // Ends the process with 0 when nothing is left to do.
  process.disconnect()
}

process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      starting = start(message)
      return
    case 'metrics':
      // Metrics that cannot be read are missing from one scrape; an unhandled rejection would end this process.
      void snapshot?.().then(
        (taken) => tell({ kind: 'metrics', request: message.request, snapshot: taken }),
        () => undefined,
      )
      return
    case 'stop':
      void stop(message.drainMs)
  }
})
tell({ kind: 'hello' })
