import {
  CaModule,
  CA_SHAPES,
  createFetchDocument,
  createIssuer,
  HttpIssuerSource,
  LocalIssuerSource,
  TokenVerifier,
} from '@touchmark/app-ca'
import { certificateLogApi, checkpointApi, entriesApi, LogModule, tilesApi } from '@touchmark/app-log'
import { MonotonicClockGuard, timestampApi, TsaModule } from '@touchmark/app-tsa'
import { TrustModule, trustShape } from '@touchmark/app-trust'
import type { Clock } from '@touchmark/clock'
import { nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { pemEncode } from '@touchmark/encoding'
import { openLog, type Log } from '@touchmark/ledger'
import {
  createHttpMetrics,
  createRegistry,
  Health,
  listen,
  serveMetrics,
  type ApiShape,
  type Logger,
} from '@touchmark/service'
import { trustedRootFingerprint } from '@touchmark/trust'
import { ctLogId } from '@touchmark/x509'
import type { DynamicModule } from '@nestjs/common'
import { certificateLogGenesis, precertificateLog } from './compose/certificate-log.js'
import { createNestApp } from './compose/nest-app.js'
import { Opened } from './compose/opened.js'
import { SHARED_SHAPES } from './compose/shared-shapes.js'
import { trustDocuments } from './compose/trust-documents.js'
import { addGauges, addHealthChecks, keepFresh, type Watched } from './compose/watch.js'
import { checkIssuers, settleIssuers, type Issuers } from './config/issuers.js'
import type { StandaloneConfig } from './config/options.js'
import { openStandaloneDatabase, type RunningDatabase } from './database.js'
import type { GreetingInput } from './greeting.js'
import { makeDataFolder } from './instance/data-folder.js'
import type { InstanceRow } from './instance/instance-row.js'
import type { Material } from './instance/material.js'
import { openInstance, passphraseOf, portOf } from './instance/open-instance.js'
import { demoIssuer, type DemoParts } from './oidc/demo-issuer.js'
import { OidcModule, oidcShape } from './oidc/oidc.module.js'

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
}

/**
 * Starts everything in one process: database, keys, logs, then the listener. Throws a CodedError that says what to do when something does not
 * belong together (another public URL, other keys, a wrong passphrase), and leaves nothing running.
 */
export async function startStandalone(config: StandaloneConfig, surroundings: Surroundings): Promise<Standalone> {
  const opened = new Opened()
  try {
    return await start(config, surroundings, opened)
  } catch (error) {
    // What could not start is the news, not what could not be closed after it.
    await opened.close().catch((failure: unknown) => surroundings.logger.error({ err: failure }, 'closing failed'))
    throw error
  }
}

async function start(config: StandaloneConfig, { clock, logger }: Surroundings, opened: Opened): Promise<Standalone> {
  // Before anything is fixed: what is wrong here must not cost a public URL.
  if (config.issuersText !== undefined) checkIssuers(config.issuersText)
  await makeDataFolder(config.dataDir)
  const passphrase = await passphraseOf(config)
  const database = await openStandaloneDatabase(config, (line) => logger.info({ line }, 'postgres'))
  opened.add(() => database.close())
  const { row, material, first } = await openInstance(config, database, passphrase, clock)
  const organization = new URL(row.publicUrl).hostname
  const issuers = settleIssuers(config.issuersText, config.demoIssuer, row.publicUrl)
  for (const warning of issuers.configuration.warnings) logger.warn({ warning }, 'issuer configuration')

  const registry = createRegistry()
  const logs = await openLogs(database, material, row, clock)
  opened.add(() => Promise.all(Object.values(logs).map((log) => log.close())).then(() => undefined))
  const clockGuard = new MonotonicClockGuard({ clock })
  const watched: Watched = {
    db: database.db,
    logs,
    material,
    clock,
    crypto: nodeCrypto,
    clockProblem: () => clockGuard.problem(),
  }
  const { root, documents } = trustDocuments({
    publicUrl: row.publicUrl,
    createdAt: row.createdAt,
    organization,
    material,
    signatureLog: logs.signature,
    certificateLog: { publicKey: logs.certificate.publicKey, ctLogId: ctLogId(logs.certificate.publicKey, nodeCrypto) },
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
  const modules: DynamicModule[] = [
    caModule({ material, logs, tokens, issuers, clock, logger }),
    LogModule.register({
      log: logs.signature,
      certificateLog: { log: logs.certificate, roots: [material.caRoot.der] },
      crypto: nodeCrypto,
      report: (error, { requestId, ours }) =>
        logger[ours ? 'error' : 'debug']({ err: error, id: requestId }, 'log request'),
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
    TrustModule.register(documents),
    ...(demo === undefined ? [] : [OidcModule.register(demo.issuer)]),
  ]
  const shapes: ApiShape[] = [
    ...CA_SHAPES,
    checkpointApi,
    entriesApi,
    tilesApi,
    certificateLogApi,
    timestampApi,
    trustShape,
    ...SHARED_SHAPES,
    ...(demo === undefined ? [] : [oidcShape]),
  ]

  const health = new Health(clock)
  addHealthChecks(health, watched)
  const gauges = addGauges(registry, watched)
  const app = await createNestApp(modules, { shapes, health, metrics: createHttpMetrics(registry), logger })
  opened.add(() => app.close())
  const fresh = await keepFresh(watched, gauges, logger)
  opened.add(() => fresh.stop())
  const metrics = await serveMetrics(registry, config.metricsListen, config.metricsPort)
  opened.add(() => metrics.close())
  void tokens.warmUp((issuer, why) => logger.warn({ issuer, why }, 'an issuer does not answer yet'))
  const server = await listen(app.handler, config.listen, portOf(config, row))
  return {
    port: server.port,
    greeting: {
      publicUrl: row.publicUrl,
      localUrl: `http://localhost:${server.port}`,
      dataDir: config.dataDir,
      metricsUrl: `http://${reachable(config.metricsListen)}:${metrics.port}/metrics`,
      fingerprint: trustedRootFingerprint(root, nodeCrypto),
      demo: issuers.demo,
      loginUrl: issuers.loginUrl,
      first,
    },
    failed: Promise.race([database.exited, fatal(Object.values(logs))]),
    async stop(drainMs) {
      await server.drain(drainMs)
      await opened.close()
    },
  }
}

/** An address that a person on this machine can open. */
function reachable(listen: string): string {
  if (listen === '0.0.0.0' || listen === '::') return '127.0.0.1'
  return listen.includes(':') ? `[${listen}]` : listen
}

async function openLogs(
  { db }: RunningDatabase,
  material: Material,
  row: InstanceRow,
  clock: Clock,
): Promise<{ signature: Log; certificate: Log }> {
  const host = new URL(row.publicUrl).hostname
  const { caIntermediate, caRoot, signers } = material
  const signature = await openLog({ db, kind: 'signature-v2', origin: host, signer: signers['signature-log'], clock })
  const certificate = await openLog({
    db,
    kind: 'certificate',
    origin: `${host}/ct`,
    signer: signers['certificate-log'],
    clock,
    genesis: certificateLogGenesis(caIntermediate.der, caRoot.der, row.createdAt),
  })
  return { signature, certificate }
}

function tokenVerifier(issuers: Issuers, demo: DemoParts | undefined, clock: Clock): TokenVerifier {
  const local = new Map(demo === undefined ? [] : [[demo.issuerUrl, demo.local] as const])
  const source = new LocalIssuerSource(local, new HttpIssuerSource(createFetchDocument()))
  return new TokenVerifier({ configuration: issuers.configuration, source, clock })
}

function caModule(parts: {
  material: Material
  logs: { certificate: Log }
  tokens: TokenVerifier
  issuers: Issuers
  clock: Clock
  logger: Logger
}): DynamicModule {
  const { material, logs, tokens, issuers, clock, logger } = parts
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
function fatal(logs: readonly Log[]): Promise<Error> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const failure = logs.map((log) => log.failure).find((error) => error !== undefined)
      if (failure === undefined) return
      clearInterval(timer)
      resolve(failure)
    }, 500)
    timer.unref()
  })
}
