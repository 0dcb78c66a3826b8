/** The longest pause that a service may ask for. Who asks for more is not waited for, and not asked again either. */
export const LONGEST_PAUSE_SECONDS = 30

/** Answers that another try may better: the service is busy or broken. */
export function mayPass(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

/**
 * Seconds of a Retry-After header (RFC 9110 §10.2.3): a number, or a date, which is held against the answer's own `Date`, since the clocks of two machines
 * differ. Undefined for anything else.
 */
export function retryAfterSeconds(
  retryAfter: string | null | undefined,
  answeredAt: string | null | undefined,
): number | undefined {
  const text = retryAfter ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text)
  if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined
  const seconds = (Date.parse(text) - Date.parse(answeredAt ?? '')) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}

/**
 * How long to wait before try number `attempt` (1: the second one): as long as the service asked, and a growing pause with jitter on top of that, so that
 * clients that were turned away together do not come back together.
 */
export function pauseMs(attempt: number, askedSeconds: number | undefined, random: () => number): number {
  const backoff = 250 * 2 ** (attempt - 1)
  return (askedSeconds ?? 0) * 1000 + backoff / 2 + random() * backoff
}
