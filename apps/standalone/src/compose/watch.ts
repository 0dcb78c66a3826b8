import type { Clock } from '@touchmark/clock'
import type { CryptoPort, Signer } from '@touchmark/crypto'
import type { Log } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { gauge, labelledGauge, type Health, type Logger, type Registry } from '@touchmark/service'
import type { Certificate } from '@touchmark/x509'
import type { Material } from '../instance/material.js'

/** An idle log signs its head again this often, so that an old signature means that something is wrong. */
const RESIGN_MS = 5 * 60_000
const OLDEST_CHECKPOINT_MS = 3 * RESIGN_MS
const ROUND_MS = 15_000
const DAY_MS = 24 * 3600 * 1000

export type LogLabel = 'signature' | 'signature-v1' | 'certificate'

export interface WatchedLog {
  readonly label: LogLabel
  readonly log: Log
}

export interface Watched {
  readonly db: Database
  /** Every tree that is open at this moment; of one label those that became active later come later. */
  readonly logs: () => readonly WatchedLog[]
  /** Which shard cannot be served, if one cannot. */
  readonly shardProblem: () => string | undefined
  readonly material: Material
  readonly clock: Clock
  readonly crypto: CryptoPort
  /** Why the clock cannot be trusted, if it cannot. */
  readonly clockProblem: () => string | undefined
}

/** Health that is real: each check exercises what it speaks of. */
export function addHealthChecks(health: Health, watched: Watched): void {
  health.add('database', async () => ((await watched.db.health()).readOnly ? 'the database is read only' : undefined))
  health.add('keys', async () =>
    firstProblem(Object.entries(watched.material.signers).map(([name, signer]) => keyProblem(name, signer, watched))),
  )
  for (const label of labels(watched)) {
    health.add(`${label} log`, () => firstProblem(logsOf(watched, label).map((log) => logProblem(log, watched.clock))))
  }
  health.add('shards', watched.shardProblem)
  health.add('clock', watched.clockProblem)
}

/** The kinds of logs that there are; shards come and go within them. */
function labels(watched: Watched): LogLabel[] {
  return [...new Set(watched.logs().map(({ label }) => label))]
}

function logsOf(watched: Watched, wanted: LogLabel): Log[] {
  return watched
    .logs()
    .filter(({ label }) => label === wanted)
    .map(({ log }) => log)
}

async function firstProblem(problems: readonly Promise<string | undefined>[]): Promise<string | undefined> {
  return (await Promise.all(problems)).find((problem) => problem !== undefined)
}

async function keyProblem(name: string, signer: Signer, { crypto, clock }: Watched): Promise<string | undefined> {
  const probe = new TextEncoder().encode(`touchmark health probe ${clock.now().toISOString()}`)
  const signature = await signer.sign(probe)
  return crypto.verify(signer.publicKey, signer.scheme, probe, signature) ? undefined : `the key ${name} signs wrongly`
}

async function logProblem(log: Log, clock: Clock): Promise<string | undefined> {
  if (log.failure !== undefined) return 'the log has stopped'
  const { at } = await log.checkpoint()
  // Nothing is signed for it any more.
  if (log.state === 'frozen') return undefined
  const age = clock.now().getTime() - at.getTime()
  return age > OLDEST_CHECKPOINT_MS ? `the newest checkpoint is ${Math.round(age / 1000)} s old` : undefined
}

/** Sizes, ages and days left; every label value is from a fixed list. */
export function addGauges(registry: Registry, watched: Watched): { refresh(): Promise<void> } {
  const { caRoot, caIntermediate, tsaRoot, tsaLeaf } = watched.material
  const certificates: Record<string, Certificate> = {
    'ca-root': caRoot,
    'ca-intermediate': caIntermediate,
    'tsa-root': tsaRoot,
    'tsa-leaf': tsaLeaf,
  }
  const daysLeft = (certificate: Certificate) => () =>
    (certificate.notAfter.getTime() - watched.clock.now().getTime()) / DAY_MS
  labelledGauge(
    registry,
    'touchmark_certificate_days_left',
    'Days until a certificate of this instance lapses.',
    'certificate',
    Object.fromEntries(Object.entries(certificates).map(([name, certificate]) => [name, daysLeft(certificate)])),
    'min',
  )
  gauge(
    registry,
    'touchmark_days_left',
    'Days until the first certificate of this instance lapses.',
    () => Math.min(...Object.values(certificates).map((certificate) => daysLeft(certificate)())),
    'min',
  )
  const heads = new Map(labels(watched).map((label) => [label, { size: 0, atMs: 0 }]))
  const each = (read: (head: { size: number; atMs: number }) => number): Record<string, () => number> =>
    Object.fromEntries([...heads.keys()].map((label) => [label, () => read(heads.get(label)!)]))
  labelledGauge(
    registry,
    'touchmark_log_size',
    'Entries of a log, in all its shards.',
    'log',
    each(({ size }) => size),
  )
  labelledGauge(
    registry,
    'touchmark_checkpoint_age_seconds',
    "Age of the newest checkpoint of a log's newest shard.",
    'log',
    each(({ atMs }) => (watched.clock.now().getTime() - atMs) / 1000),
    'min',
  )
  return {
    async refresh() {
      for (const label of heads.keys()) {
        const shards = await Promise.all(logsOf(watched, label).map((log) => log.checkpoint()))
        const size = shards.reduce((sum, head) => sum + Number(head.size), 0)
        // A tree that is there stays there.
        heads.set(label, { size, atMs: Math.max(...shards.map(({ at }) => at.getTime())) })
      }
    },
  }
}

/**
 * Signs idle heads again and refreshes gauges, until it is stopped; stopping waits for what runs. Resolves after the first round.
 * `signs`: of several processes on one database, one is enough to sign (more do no harm: each extends the same head).
 */
export async function keepFresh(
  watched: Watched,
  gauges: { refresh(): Promise<void> },
  logger: Logger,
  signs = true,
): Promise<{ stop(): Promise<void> }> {
  const warn = (error: unknown, label?: LogLabel): void =>
    logger.warn({ err: error, label }, 'a checkpoint could not be refreshed')
  const refresh = async (log: Log): Promise<void> => {
    const { at } = await log.checkpoint()
    if (signs && log.state === 'active' && watched.clock.now().getTime() - at.getTime() >= RESIGN_MS) await log.resign()
  }
  const round = async (): Promise<void> => {
    // Of several trees one that fails must not make the others old.
    for (const { log, label } of watched.logs()) await refresh(log).catch((error: unknown) => warn(error, label))
    await gauges.refresh()
  }
  let running: Promise<void> | undefined
  // A round that takes longer than its turn is not joined by another one.
  const run = (): Promise<void> =>
    (running ??= round()
      .catch((error: unknown) => warn(error))
      .finally(() => (running = undefined)))
  await run()
  const timer = setInterval(() => void run(), ROUND_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
