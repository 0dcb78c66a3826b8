import type { TimestampIssuer } from '@touchmark/timestamp'
import type { ClockGuard } from './clock-guard.js'

export const TSA_SETTINGS = Symbol('TSA_SETTINGS')

/** What the controllers are handed: everything was checked when the module was made. */
export interface TsaSettings {
  readonly issuer: TimestampIssuer
  readonly guard: ClockGuard
  readonly successStatus: 200 | 201
  readonly maxBodyBytes: number
  readonly report: (error: unknown) => void
}
