import type { Clock } from '@touchmark/clock'

/** A check answers undefined when all is well, else a short reason that may be shown to anybody. */
export type HealthCheck = () => Promise<string | undefined> | string | undefined

export interface HealthReport {
  readonly serving: boolean
  readonly checks: Readonly<Record<string, string>>
}

const CHECK_DEADLINE_MS = 2_000
const REPORT_KEPT_MS = 500

/**
 * Real health: every check runs, each with a deadline, and one that fails or hangs makes the whole unhealthy.
 * A report is kept for half a second, so that probes cannot be used to load the database.
 */
export class Health {
  readonly #checks = new Map<string, HealthCheck>()
  readonly #clock: Clock
  #kept: { at: number; report: Promise<HealthReport> } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(name: string, check: HealthCheck): void {
    this.#checks.set(name, check)
  }

  report(): Promise<HealthReport> {
    const now = this.#clock.now().getTime()
    if (this.#kept === undefined || Math.abs(now - this.#kept.at) > REPORT_KEPT_MS)
      this.#kept = { at: now, report: this.#run() }
    return this.#kept.report
  }

  async #run(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await outcome(check)] as const),
    )
    return { serving: results.every(([, text]) => text === 'ok'), checks: Object.fromEntries(results) }
  }
}

async function outcome(check: HealthCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_DEADLINE_MS / 1000} s`), CHECK_DEADLINE_MS)
  })
  try {
    return (await Promise.race([Promise.resolve().then(check), deadline])) ?? 'ok'
  } catch {
    return 'failed'
  } finally {
    clearTimeout(timer)
  }
}
