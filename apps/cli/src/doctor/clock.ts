import type { Clock } from '@touchmark/clock'
import type { Fetch } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { notChecked, ok, problem, warning, type Finding } from './finding.js'

const OFF_MS = 30_000
const WRONG_MS = 5 * 60_000

/** What somebody else's clock said: by how much this machine's is ahead of it, in milliseconds; negative when behind. */
export interface ClockSample {
  readonly by: string
  readonly aheadMs: number
}

/** A `fetch` that notes the Date header of each answer (RFC 9110 §6.6.1: to the second, so half a second is added). An answer from a cache says when that was filled, and is left out. */
export function samplingFetch(fetch: Fetch, clock: Clock, samples: ClockSample[]): Fetch {
  return async (url, init) => {
    const before = clock.now().getTime()
    const response = await fetch(url, init)
    const middle = (before + clock.now().getTime()) / 2
    const said = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(said) && Number(response.headers.get('age') ?? 0) === 0)
      samples.push({ by: new URL(url).host, aheadMs: Math.round(middle - said - 500) })
    return response
  }
}

/** Judges this machine's clock: against a verified timestamp where there is one, and against every host that answered. */
export function checkClock(samples: readonly ClockSample[], stamp: ClockSample | undefined): Finding[] {
  const byHost = [...new Map(samples.map((sample) => [sample.by, sample])).values()]
  const all = [...(stamp === undefined ? [] : [stamp]), ...byHost]
  const first = all[0]
  if (first === undefined) return [notChecked('clock', 'nobody answered with a time')]
  const findings = [judge(first)]
  const other = all.find(({ aheadMs }) => Math.abs(aheadMs - first.aheadMs) > OFF_MS)
  if (other !== undefined) {
    findings.push(
      warning(
        'clocks of the services',
        `${other.by} and ${first.by} are ${seconds(other.aheadMs - first.aheadMs)} apart`,
        'Tell the operator of the instance: one of these clocks is wrong.',
      ),
    )
  }
  return findings
}

function judge({ by, aheadMs }: ClockSample): Finding {
  const says = `this clock is ${seconds(aheadMs)} ${aheadMs >= 0 ? 'ahead of' : 'behind'} ${by}`
  const todo = "Set this machine's clock by network time."
  if (Math.abs(aheadMs) < OFF_MS) return ok('clock', says)
  if (Math.abs(aheadMs) < WRONG_MS) return warning('clock', says, todo)
  return problem('clock', new CliError('CLI_MACHINE_CLOCK', says, { expected: 'less than 30 s', hint: todo }))
}

function seconds(ms: number): string {
  return `${(Math.abs(ms) / 1000).toFixed(1)} s`
}
