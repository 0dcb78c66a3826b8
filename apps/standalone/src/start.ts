import {
  CaModule,
  CA_SHAPES,
  createFetchDocument,
  createIssuer,
  HttpIssuerSource,
  LocalIssuerSource,
  TokenVerifier,
} from '@touchmark/app-ca'
import {
  certificateLogApi,
  checkpointApi,
  entriesApi,
  logHotRoutes,
  LogModule,
  LogV1Module,
  RefusalPace,
  tilesApi,
  v1IndexApi,
  v1LogApi,
  searchApi,
  SearchModule,
  Validation,
} from '@touchmark/app-log'
import { MonotonicClockGuard, timestampApi, TsaModule } from '@touchmark/app-tsa'
import { TrustModule, trustShape } from '@touchmark/app-trust'
import type { Clock } from '@touchmark/clock'
import { nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { pemEncode } from '@touchmark/encoding'
import type { Log } from '@touchmark/ledger'
import {
  createHttpMetrics,
  createRegistry,
  gauge,
  Health,
  listen,
  metricSnapshot,
  serveMetrics,
  type ApiShape,
  type ConnectionLimits,
  type Logger,
} from '@touchmark/service'
import { trustedRootFingerprint } from '@touchmark/trust'
import { ctLogId } from '@touchmark/x509'
import type { DynamicModule } from '@nestjs/common'
import { precertificateLog } from './compose/certificate-log.js'
import { PostgresIssuanceRecord } from './compose/issuance-record.js'
import { createNestApp } from './compose/nest-app.js'
import { openGuard, watchGuard } from './compose/open-guard.js'
import { startWhole, type Opened } from './compose/opened.js'
import { createSearch } from './compose/search.js'
import { SHARED_SHAPES } from './compose/shared-shapes.js'
import { followingTrust } from './compose/trust-documents.js'
import { addGauges, addHealthChecks, keepFresh, type Watched } from './compose/watch.js'
import { checkIssuers, settleIssuers, type Issuers } from './config/issuers.js'
import type { StandaloneConfig } from './config/options.js'
import { openStandaloneDatabase, type RunningDatabase } from './database.js'
import type { GreetingInput } from './greeting.js'
import { makeDataFolder } from './instance/data-folder.js'
import type { Material } from './instance/material.js'
import { openInstance, passphraseOf, portOf } from './instance/open-instance.js'
import { openTrees, watchedLogs, type Trees } from './logs/open-trees.js'
import { demoIssuer, type DemoParts } from './oidc/demo-issuer.js'
import { OidcModule, oidcShape } from './oidc/oidc.module.js'
import type { WorkerSeat } from './workers/worker-seat.js'

/** A running stack. */
export interface Standalone {
  readonly port: number
  readonly greeting: GreetingInput
  /** Resolves with the reason when the stack must not go on. */
  readonly failed: Promise<Error>
  /** Takes no new request, answers those that run, closes the logs, then the database. */
  stop(drainMs: number): Promise<void>
}

interface Surroundings {
  readonly clock: Clock
  readonly logger: Logger
  /** This process is one of several workers of an instance; see workers/. */
  readonly worker?: WorkerSeat
  /** Other than the documented ones; for tests. */
  readonly limits?: Partial<ConnectionLimits>
}

/**
 * Starts everything in one process: database, keys, logs, then the listener. Throws a CodedError that says what to do when something does not
 * belong together (another public URL, other keys, a wrong passphrase), and leaves nothing running.
 */
export function startStandalone(config: StandaloneConfig, surroundings: Surroundings): Promise<Standalone> {
  return startWhole(surroundings.logger, (opened) => start(config, surroundings, opened))
}

async function start(
  config: StandaloneConfig,
  { clock, logger, worker, limits }: Surroundings,
  opened: Opened,
): Promise<Standalone> {
  // Before anything is fixed: what is wrong here must not cost a public URL.
  if (config.issuersText !== undefined) checkIssuers(config.issuersText)
  await makeDataFolder(config.dataDir)
  const passphrase = await passphraseOf(config)
  const database = await openStandaloneDatabase(config, (line) => logger.info({ line }, 'postgres'), worker?.poolSize)
  opened.add(() => database.close())
  const { row, material, store, first } = await openInstance(config, database, passphrase, clock)
  const organization = new URL(row.publicUrl).hostname
  const issuers = settleIssuers(config.issuersText, config.demoIssuer, row.publicUrl)
  for (const warning of issuers.configuration.warnings) logger.warn({ warning }, 'issuer configuration')

  const registry = createRegistry()
  const guard = openGuard(config)
  opened.add(() => guard.close())
  const guardWatch = watchGuard(guard, logger, registry)
  opened.add(() => Promise.resolve(guardWatch.stop()))
  const search = createSearch({ db: database.db, registry, logger, follows: worker?.housekeeper ?? true })
  const observe = {
    ...search.observe,
    guardBegan: (size: bigint) =>
      logger.warn(
        { size: size.toString() },
        'rollback guard: nothing was known of this tree; the database is believed',
      ),
  }
  const trees = await openTrees({ db: database.db, material, store, row, clock, logger, common: { guard, observe } })
  opened.add(() => trees.close())
  const clockGuard = new MonotonicClockGuard({ clock })
  const watched: Watched = {
    db: database.db,
    logs: () => watchedLogs(trees),
    shardProblem: () => trees.shards.problem(),
    material,
    clock,
    crypto: nodeCrypto,
    clockProblem: () => clockGuard.problem(),
  }
  const ctKey = trees.certificate.publicKey
  const trust = followingTrust(trees.shards, {
    publicUrl: row.publicUrl,
    createdAt: row.createdAt,
    organization,
    material,
    certificateLog: { publicKey: ctKey, ctLogId: ctLogId(ctKey, nodeCrypto) },
    issuerUrl: issuers.loginUrl,
  })

  const demo = issuers.demo
    ? demoIssuer({
        publicUrl: row.publicUrl,
        signer: material.signers['demo-issuer'],
        db: database.db,
        clock,
        report: (error) => logger.error({ err: error }, 'demo issuer'),
      })
    : undefined
  const tokens = tokenVerifier(issuers, demo, clock)
  const refusals = new RefusalPace()
  const validation = await Validation.start()
  opened.add(() => validation.close())
  const modules: DynamicModule[] = [
    caModule({ db: database.db, material, logs: trees, tokens, issuers, clock, logger }),
    LogModule.register({
      logs: trees.shards,
      certificateLog: { log: trees.certificate, roots: [material.caRoot.der] },
      validation,
      refusals,
      report: (error, { requestId, ours }) =>
        logger[ours ? 'error' : 'debug']({ err: error, id: requestId }, 'log request'),
    }),
    LogV1Module.register({
      trees: trees.v1,
      search: search.index,
      clock,
      crypto: nodeCrypto,
      validation,
      refusals,
      report: (error, { requestId, ours }) =>
        logger[ours ? 'error' : 'debug']({ err: error, id: requestId }, 'log request, API v1'),
    }),
    SearchModule.register({
      index: search.index,
      logs: () => trees.all(),
      crypto: nodeCrypto,
      report: (error, { requestId, ours }) =>
        logger[ours ? 'error' : 'debug']({ err: error, id: requestId }, 'search request'),
    }),
    TsaModule.register({
      signer: material.signers['tsa-leaf'],
      chain: [material.tsaLeaf, material.tsaRoot],
      clock,
      crypto: nodeCrypto,
      clockGuard,
      servePing: false,
      report: (error) => logger.error({ err: error }, 'timestamp request'),
    }),
    TrustModule.register(() => trust().documents),
    ...(demo === undefined ? [] : [OidcModule.register(demo.issuer)]),
  ]
  const shapes: ApiShape[] = [
    ...CA_SHAPES,
    checkpointApi,
    entriesApi,
    tilesApi,
    v1LogApi,
    v1IndexApi,
    certificateLogApi,
    searchApi,
    timestampApi,
    trustShape,
    ...SHARED_SHAPES,
    ...(demo === undefined ? [] : [oidcShape]),
  ]

  const health = new Health(clock)
  addHealthChecks(health, watched)
  const gauges = addGauges(registry, watched)
  const held = 'Answers of the log that wait for the pace of refusals: refusals and duplicates.'
  gauge(registry, 'touchmark_log_answers_held', held, () => refusals.held, 'sum')
  const edgeOptions = { shapes, health, metrics: createHttpMetrics(registry), logger }
  const queued = 'Requests that wait to be validated, or are.'
  gauge(registry, 'touchmark_log_validations_waiting', queued, () => validation.waiting, 'sum')
  const app = await createNestApp(modules, edgeOptions, logHotRoutes)
  opened.add(() => app.close())
  const fresh = await keepFresh(watched, gauges, logger, worker?.housekeeper)
  opened.add(() => fresh.stop())
  const metrics =
    worker === undefined ? await serveMetrics(registry, config.metricsListen, config.metricsPort) : undefined
  opened.add(() => metrics?.close())
  search.start(() => trees.all())
  opened.add(() => search.stop())
  void tokens.warmUp((issuer, why) => logger.warn({ issuer, why }, 'an issuer does not answer yet'))
  const server = await listen(app.handler, config.listen, portOf(config, row), limits)
  worker?.useMetrics(() => metricSnapshot(registry))
  return {
    port: server.port,
    greeting: {
      publicUrl: row.publicUrl,
      localUrl: `http://localhost:${server.port}`,
      dataDir: config.dataDir,
      metricsUrl: metrics === undefined ? '' : metricsUrl(config, metrics.port),
      fingerprint: trustedRootFingerprint(trust().root, nodeCrypto),
      demo: issuers.demo,
      loginUrl: issuers.loginUrl,
      first,
    },
    failed: Promise.race([database.exited, validation.failed, fatal(trees)]),
    async stop(drainMs) {
      refusals.open()
      await server.drain(drainMs)
      await opened.close()
    },
  }
}

/** Where metrics are, for a person on this machine. */
export function metricsUrl(config: StandaloneConfig, port: number): string {
  return `http://${reachable(config.metricsListen)}:${port}/metrics`
}

/** An address that a person on this machine can open. */
function reachable(listen: string): string {
  if (listen === '0.0.0.0' || listen === '::') return '127.0.0.1'
  return listen.includes(':') ? `[${listen}]` : listen
}

function tokenVerifier(issuers: Issuers, demo: DemoParts | undefined, clock: Clock): TokenVerifier {
  const local = new Map(demo === undefined ? [] : [[demo.issuerUrl, demo.local] as const])
  const source = new LocalIssuerSource(local, new HttpIssuerSource(createFetchDocument()))
  return new TokenVerifier({ configuration: issuers.configuration, source, clock })
}

function caModule(parts: {
  db: RunningDatabase['db']
  material: Material
  logs: { certificate: Log }
  tokens: TokenVerifier
  issuers: Issuers
  clock: Clock
  logger: Logger
}): DynamicModule {
  const { db, material, logs, tokens, issuers, clock, logger } = parts
  const ctSigner = material.signers['certificate-log']
  const audit = logger.child({}, { level: 'info' })
  const chain = [material.caIntermediate, material.caRoot]
  const issuer = createIssuer({
    signer: material.signers['ca-intermediate'],
    chain,
    log: precertificateLog(logs.certificate, ctSigner, { clock, crypto: nodeCrypto }),
    logKey: ctSigner.publicKey,
    crypto: nodeCrypto,
    clock,
    random: randomBytes,
  })
  return CaModule.register({
    issuer,
    record: new PostgresIssuanceRecord(db, clock, (error) =>
      logger.warn({ err: error }, 'record of issued certificates'),
    ),
    tokens,
    chainPem: chain.map(({ der }) => pemEncode('CERTIFICATE', der)),
    configuration: issuers.configuration,
    crypto: nodeCrypto,
    // Always written, at whatever level the rest is: who got a certificate is not debugging.
    audit: (event) => audit.info(event, 'audit'),
    report: (error, { requestId }) => logger.error({ err: error, id: requestId }, 'certificate request'),
  })
}

/** Resolves when a log has met a state that it cannot go on from. */
function fatal(trees: Trees): Promise<Error> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const failure = trees
        .all()
        .map((log) => log.failure)
        .find((error) => error !== undefined)
      if (failure === undefined) return
      clearInterval(timer)
      resolve(failure)
    }, 500)
    timer.unref()
  })
}
