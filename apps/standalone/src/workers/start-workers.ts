import type { Clock } from '@touchmark/clock'
import { Counter, createRegistry, gauge, serveMetrics, WorkerMetrics, type Logger } from '@touchmark/service'
import { startWhole, type Opened } from '../compose/opened.js'
import { checkIssuers } from '../config/issuers.js'
import type { StandaloneConfig } from '../config/options.js'
import { openStandaloneDatabase } from '../database.js'
import { makeDataFolder } from '../instance/data-folder.js'
import { openInstance, passphraseOf } from '../instance/open-instance.js'
import { metricsUrl, type Standalone } from '../start.js'
import { Supervisor } from './supervisor.js'

/**
 * Starts an instance whose requests are served by several processes. This one has the embedded PostgreSQL, the first start with its migrations, keys
 * and instance row, and the metrics; each worker runs the whole application on the same port, with connections and open trees of its own. That they
 * write to the same trees needs no agreement between them: the row lock orders appends (docs/design/life-of-an-entry.md).
 * Throws what startStandalone() throws, and leaves nothing running.
 */
export function startWorkers(
  config: StandaloneConfig,
  surroundings: { readonly clock: Clock; readonly logger: Logger },
): Promise<Standalone> {
  return startWhole(surroundings.logger, (opened) => start(config, surroundings, opened))
}

async function start(
  config: StandaloneConfig,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  opened: Opened,
): Promise<Standalone> {
  if (config.issuersText !== undefined) checkIssuers(config.issuersText)
  await makeDataFolder(config.dataDir)
  const passphrase = await passphraseOf(config)
  const database = await openStandaloneDatabase(config, (line) => logger.info({ line }, 'postgres'))
  opened.add(() => database.close())
  const { first } = await openInstance(config, database, passphrase, clock)

  const registry = createRegistry()
  const ends = new Counter({
    name: 'touchmark_worker_ends_total',
    help: 'Worker processes that ended, for whatever reason.',
    registers: [registry],
  })
  const supervisor = new Supervisor({
    config: { ...config, databaseUrl: database.db.url, passphrase: { value: passphrase }, workers: 1 },
    workers: config.workers,
    logger,
    ended: (worker) => {
      ends.inc()
      metrics.ended(worker).catch((error: unknown) => logger.warn({ err: error }, 'metrics of an ended worker'))
    },
  })
  const metrics = new WorkerMetrics(registry, () => supervisor.metrics())
  gauge(registry, 'touchmark_workers', 'Worker processes that run.', () => supervisor.running)
  // A start that fails has nothing to drain.
  let drainMs = 0
  opened.add(() => supervisor.stop(drainMs))
  const { port, greeting } = await supervisor.start()
  const served = await serveMetrics(metrics, config.metricsListen, config.metricsPort)
  opened.add(() => served.close())
  return {
    port,
    greeting: { ...greeting, first, metricsUrl: metricsUrl(config, served.port) },
    failed: Promise.race([database.exited, supervisor.failed]),
    async stop(limitMs) {
      drainMs = limitMs
      await opened.close()
    },
  }
}
