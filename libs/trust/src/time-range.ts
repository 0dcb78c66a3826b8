import { TrustError } from './errors.js'

/** A period, both ends included; without an end it is still going on. */
export interface TimeRange {
  readonly start: Date
  readonly end?: Date
}

/** True when the time lies in the period; no period is every time. */
export function isWithin(time: Date, range: TimeRange | undefined): boolean {
  if (range === undefined) return true
  const at = time.getTime()
  return at >= range.start.getTime() && (range.end === undefined || at <= range.end.getTime())
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/

/**
 * Reads an RFC 3339 time. What is finer than a millisecond is rounded so that the period never grows: up for a start, down for an end.
 * Throws TRUST_FIELD_INVALID.
 */
export function parseTime(text: string, round: 'up' | 'down', path: string): Date {
  const parts = RFC3339.exec(text)
  const [year, month, day, hour, minute, second] = (parts ?? []).slice(1, 7).map(Number)
  const midnight = Date.UTC(year ?? 0, (month ?? 0) - 1, day ?? 0)
  const date = new Date(midnight)
  // Years below 100 mean the 20th century to Date.UTC: they fail the comparison, like every day that no month has.
  const real = date.getUTCFullYear() === year && date.getUTCMonth() + 1 === month && date.getUTCDate() === day
  if (parts === null || !real || hour! > 23 || minute! > 59 || second! > 59)
    throw new TrustError('TRUST_FIELD_INVALID', `${path} is no time`, {
      check: path,
      expected: 'a time such as 2026-01-01T00:00:00Z',
      found: text.slice(0, 64),
      hint: 'Get the file again from your instance.',
    })
  const fraction = (parts[7] ?? '').padEnd(9, '0')
  const millis = Number(fraction.slice(0, 3)) + (round === 'up' && /[1-9]/.test(fraction.slice(3)) ? 1 : 0)
  const offset = (parts[8] === '-' ? -1 : 1) * (Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0))
  return new Date(midnight + ((hour! * 60 + minute! - offset) * 60 + second!) * 1000 + millis)
}

/** RFC 3339 UTC; whole seconds are written without a fraction, as every client writes them. */
export function formatTime(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z')
}
