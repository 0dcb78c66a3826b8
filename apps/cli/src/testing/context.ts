import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '@touchmark/clock'
import type { Fetch } from '@touchmark/sign'
import type { CliContext } from '../context.js'

export const NOW = '2026-06-01T12:00:00Z'

export interface TestContext extends CliContext {
  readonly clock: ManualClock
  /** A folder of this test; `home` is in it. */
  readonly folder: string
  /** What was asked for as a pause between tries or polls, in milliseconds; nobody waits. */
  readonly pauses: number[]
  readonly said: { out: string; err: string }
  remove(): Promise<void>
}

export interface TestContextOptions {
  readonly fetch?: Fetch
  readonly environment?: NodeJS.ProcessEnv
  readonly json?: boolean
  readonly interactive?: boolean
}

const NOBODY: Fetch = (url) => Promise.reject(new TypeError(`no network in this test: ${url}`))

/** The outside world of a command, on a temporary folder and with no network but what is given. */
export async function testContext(options: TestContextOptions = {}): Promise<TestContext> {
  const folder = await mkdtemp(join(tmpdir(), 'touchmark-cli-'))
  const said = { out: '', err: '' }
  const pauses: number[] = []
  return {
    clock: new ManualClock(NOW),
    environment: options.environment ?? {},
    http: {
      fetch: options.fetch ?? NOBODY,
      sleep: async (ms) => void pauses.push(ms),
      random: () => 0.5,
      timeoutMs: 10_000,
      tries: 2,
    },
    home: join(folder, 'home'),
    ambientPlaces: { productName: join(folder, 'product-name'), projectedToken: join(folder, 'projected-token') },
    json: options.json ?? false,
    interactive: options.interactive ?? false,
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    folder,
    pauses,
    said,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
