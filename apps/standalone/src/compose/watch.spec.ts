import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { createLogger, Health, Registry } from '@touchmark/service'
import { buildRootCertificate, parseCertificate, type Certificate } from '@touchmark/x509'
import { addGauges, addHealthChecks, keepFresh, type Watched } from './watch.js'

const START = '2026-01-01T00:00:00Z'
const MINUTE = 60_000
const logger = createLogger({ level: 'silent' })

/** What is watched of a log. */
class FakeLog {
  at: Date
  size = 5n
  state: 'active' | 'frozen' = 'active'
  failure: Error | undefined
  resigned = 0
  readonly #clock: ManualClock
  constructor(clock: ManualClock) {
    this.#clock = clock
    this.at = clock.now()
  }
  async checkpoint(): Promise<{ size: bigint; at: Date }> {
    return { size: this.size, at: this.at }
  }
  async resign(): Promise<void> {
    this.resigned++
    this.at = this.#clock.now()
  }
}

let signer: Signer
let certificate: Certificate
let clock: ManualClock
let logs: { signature: FakeLog; certificate: FakeLog }
let readOnly: boolean
let clockProblem: string | undefined
let shardProblem: string | undefined
let signers: Record<string, Signer>

beforeAll(async () => {
  signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  const dates = { notBefore: new Date(START), notAfter: new Date('2026-01-31T00:00:00Z') }
  const subject = { organization: 'example', commonName: 'root' }
  certificate = parseCertificate(await buildRootCertificate({ subject, ...dates, signer, random: randomBytes }))
})
beforeEach(() => {
  clock = new ManualClock(START)
  logs = { signature: new FakeLog(clock), certificate: new FakeLog(clock) }
  readOnly = false
  clockProblem = undefined
  shardProblem = undefined
  signers = { 'ca-root': signer }
})

function watched(): Watched {
  return {
    db: { health: async () => ({ readOnly, serverVersion: 180_000 }) } as never,
    logs: () => [
      { label: 'signature', log: logs.signature as never },
      { label: 'certificate', log: logs.certificate as never },
    ],
    shardProblem: () => shardProblem,
    material: {
      signers: signers as never,
      caRoot: certificate,
      caIntermediate: certificate,
      tsaRoot: certificate,
      tsaLeaf: certificate,
    },
    clock,
    crypto: nodeCrypto,
    clockProblem: () => clockProblem,
  }
}
async function report(): Promise<{ serving: boolean; checks: Readonly<Record<string, string>> }> {
  const health = new Health(clock)
  addHealthChecks(health, watched())
  return health.report()
}

describe('health', () => {
  it('is good when all is well', async () => {
    const ok = { database: 'ok', keys: 'ok', 'signature log': 'ok', 'certificate log': 'ok', shards: 'ok', clock: 'ok' }
    expect(await report()).toEqual({ serving: true, checks: ok })
  })

  it('is good with an old checkpoint when the log is frozen', async () => {
    clock.advance(60 * MINUTE)
    logs.certificate.at = clock.now()
    logs.signature.state = 'frozen'
    expect(await report()).toMatchObject({ serving: true, checks: { 'signature log': 'ok' } })
  })

  it.each<[string, () => void, object]>([
    ['a database that is read only', () => (readOnly = true), { database: 'the database is read only' }],
    ['a shard that cannot be served', () => (shardProblem = 'no key'), { shards: 'no key' }],
    ['a clock that is off', () => (clockProblem = 'it went back'), { clock: 'it went back' }],
    [
      'a log that has stopped',
      () => (logs.signature.failure = new Error('x')),
      { 'signature log': 'the log has stopped' },
    ],
    [
      'a checkpoint that is too old',
      () => clock.advance(15 * MINUTE + 1000),
      { 'certificate log': 'the newest checkpoint is 901 s old' },
    ],
    [
      'a key that cannot be used',
      () => (signers = { 'ca-root': { ...signer, sign: () => Promise.reject(new Error('no session')) } as Signer }),
      { keys: 'failed' },
    ],
    [
      'a key that signs wrongly',
      () =>
        (signers = {
          'tsa-leaf': {
            ...signer,
            publicKey: signer.publicKey,
            scheme: signer.scheme,
            sign: async () => new Uint8Array(70),
          },
        }),
      { keys: 'the key tsa-leaf signs wrongly' },
    ],
  ])('is bad with %s', async (_, spoil, checks) => {
    spoil()
    expect(await report()).toMatchObject({ serving: false, checks })
  })
})

describe('keepFresh', () => {
  const start = async (): Promise<Registry> => {
    const registry = new Registry()
    const all = watched()
    await (await keepFresh(all, addGauges(registry, all), logger)).stop()
    return registry
  }

  it('leaves a fresh head alone, and signs one of five minutes again', async () => {
    clock.advance(5 * MINUTE - 1)
    await start()
    expect([logs.signature.resigned, logs.certificate.resigned]).toEqual([0, 0])
    clock.advance(1)
    await start()
    expect([logs.signature.resigned, logs.certificate.resigned]).toEqual([1, 1])
  })

  it('never signs the head of a frozen log', async () => {
    logs.signature.state = 'frozen'
    clock.advance(60 * MINUTE)
    await start()
    expect([logs.signature.resigned, logs.certificate.resigned]).toEqual([0, 1])
  })

  it('a log that cannot be read stops nothing, and the next one is signed again', async () => {
    logs.signature.checkpoint = () => Promise.reject(new Error('gone'))
    clock.advance(5 * MINUTE)
    await start()
    expect(logs.certificate.resigned).toBe(1)
  })

  it('a log that cannot be signed again keeps no other one from it', async () => {
    logs.signature.resign = () => Promise.reject(new Error('no session'))
    clock.advance(5 * MINUTE)
    await start()
    expect(logs.certificate.resigned).toBe(1)
  })

  it('the gauges tell days left, sizes and ages from the first scrape on', async () => {
    clock.advance(2 * MINUTE)
    const text = await (await start()).metrics()
    expect(text).toContain('touchmark_log_size{log="signature"} 5')
    expect(text).toContain('touchmark_checkpoint_age_seconds{log="certificate"} 120')
    const days = /^touchmark_certificate_days_left\{certificate="tsa-leaf"\} ([\d.]+)$/m.exec(text)?.[1]
    expect(Number(days)).toBeCloseTo(30 - 2 / 1440, 3)
    expect(text).toMatch(/^touchmark_days_left 29\.99/m)
    for (const name of ['ca-root', 'ca-intermediate', 'tsa-root'])
      expect(text).toContain(`touchmark_certificate_days_left{certificate="${name}"}`)
  })
})
