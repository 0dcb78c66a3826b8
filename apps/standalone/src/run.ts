import { systemClock } from '@touchmark/clock'
import { createLogger } from '@touchmark/service'
import { readConfig, type UpOptions } from './config/options.js'
import { greeting } from './greeting.js'
import { startStandalone } from './start.js'
import { startWorkers } from './workers/start-workers.js'

/** Longer than any request may take. */
const DRAIN_MS = 15_000

/**
 * Runs the stack until SIGTERM or SIGINT, drains and resolves; the process then ends with 0. A fatal state (what is stored is not what was signed,
 * a database that is gone) ends it with 1, for a supervisor to start it again. Rejects when it cannot start.
 */
export async function runStandalone(options: UpOptions): Promise<void> {
  const config = readConfig(options, process.env)
  const logger = createLogger({ level: config.logLevel })
  // From now on, so that a signal during a long start ends it in order as well.
  const signal = signalled()
  const start = config.workers === 1 ? startStandalone : startWorkers
  const standalone = await start(config, { clock: systemClock, logger })
  // A service goes on when nobody reads what it prints any more.
  process.stdout.removeAllListeners('error').on('error', () => undefined)
  process.stdout.write(greeting(standalone.greeting))
  const stopped = await Promise.race([signal, standalone.failed])
  if (stopped instanceof Error) logger.fatal({ err: stopped }, 'stopping: this state is fatal')
  await standalone.stop(DRAIN_MS)
  process.exitCode = stopped instanceof Error ? 1 : 0
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal)
        // A second signal means at once.
        process.once(signal, () => process.exit(1))
      })
    }
  })
}
