import { LogApiError } from '../../errors.js'

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }
/** The longest delay a timer takes; longer is for ever. */
const MAX_TIMER_MS = 0x7fffffff

/** Milliseconds of a `Grpc-Timeout` header (up to eight digits and a unit); undefined without one. Throws LOG_DEADLINE_INVALID. */
export function readGrpcTimeout(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  const match = typeof header === 'string' ? /^([0-9]{1,8})([HMSmun])$/.exec(header) : null
  if (match === null) {
    throw new LogApiError('LOG_DEADLINE_INVALID', `invalid grpc-timeout: ${String(header).slice(0, 32)}`)
  }
  return Number(match[1]) * UNIT_MS[match[2]!]!
}

/** The promise, or LOG_DEADLINE when `ms` pass first. What the promise stands for goes on: the entry is appended all the same (log-v2.md §6). */
export async function withinDeadline<T>(promise: Promise<T>, ms: number | undefined): Promise<T> {
  if (ms === undefined || ms > MAX_TIMER_MS) return promise
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LogApiError('LOG_DEADLINE', 'the time given by the client ran out')), ms)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}
