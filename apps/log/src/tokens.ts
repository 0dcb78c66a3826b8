import type { Log } from '@touchmark/ledger'
import type { RefusalPace } from './http/refusal-pace.js'
import type { V2Logs } from './http/v2/v2-logs.js'
import type { Validation } from './validation/validation.js'

export const LOG_SETTINGS = Symbol('LOG_SETTINGS')

/** Told of every error that a route answers with. `ours`: the fault is the server's, and the cause belongs in the log. */
export type ErrorReport = (error: unknown, context: { readonly requestId: string; readonly ours: boolean }) => void

/** What the controllers are handed. */
export interface LogSettings {
  /** The signature logs that `POST /api/v2/log/entries` writes to and whose tiles are under /api/v2. */
  readonly logs: V2Logs
  /** The same in every API of this process. */
  readonly validation: Validation
  readonly maxBodyBytes: number
  readonly report: ErrorReport
  /** The same in every API that this process writes by. */
  readonly refusals: RefusalPace
}

export const CERTIFICATE_LOG_SETTINGS = Symbol('CERTIFICATE_LOG_SETTINGS')

export interface CertificateLogSettings {
  readonly log: Log
  /** DER of the roots that certificates in the log lead to. */
  readonly roots: readonly Uint8Array[]
  readonly report: ErrorReport
}
