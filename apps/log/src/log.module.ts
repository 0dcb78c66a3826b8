import { Module, type DynamicModule } from '@nestjs/common'
import type { Log } from '@touchmark/ledger'
import { CtController } from './http/ct/ct.controller.js'
import type { RefusalPace } from './http/refusal-pace.js'
import { EntriesController } from './http/v2/entries.controller.js'
import { TilesController } from './http/v2/tiles.controller.js'
import type { V2Logs } from './http/v2/v2-logs.js'
import {
  CERTIFICATE_LOG_SETTINGS,
  LOG_SETTINGS,
  type CertificateLogSettings,
  type ErrorReport,
  type LogSettings,
} from './tokens.js'
import type { Validation } from './validation/validation.js'

/** The contract's limit of a request body (log-v2.md §2). */
export const MAX_BODY_BYTES = 4 << 20

export interface LogOptions {
  /** The signature log of API v2, all shards of it. Whoever opened them closes them, after the last request. */
  readonly logs: V2Logs
  /** The certificate log, where it is served by this process, with the roots of get-roots as DER. */
  readonly certificateLog?: { readonly log: Log; readonly roots: readonly Uint8Array[] }
  /** One for all APIs of a process; whoever started it closes it, after the last request. */
  readonly validation: Validation
  readonly maxBodyBytes?: number
  /** Is told of every error that a route answers with: validation says only here what was wrong. */
  readonly report?: ErrorReport
  /** One for all APIs of a process; whoever ends the process opens it first. */
  readonly refusals: RefusalPace
}

/** The logs' HTTP APIs as a Nest module. Routes that it does not take are answered by its ApiShapes. */
@Module({})
export class LogModule {
  static register(options: LogOptions): DynamicModule {
    const {
      logs,
      validation,
      certificateLog,
      refusals,
      maxBodyBytes = MAX_BODY_BYTES,
      report = () => undefined,
    } = options
    for (const { kind } of logs.all()) {
      if (kind !== 'signature-v2') throw new TypeError(`API v2 is served from a signature-v2 log, not ${kind}`)
    }
    const settings: LogSettings = { logs, validation, maxBodyBytes, report, refusals }
    const v2 = { provide: LOG_SETTINGS, useValue: settings }
    if (certificateLog === undefined) {
      return { module: LogModule, controllers: [EntriesController, TilesController], providers: [v2] }
    }
    if (certificateLog.log.kind !== 'certificate') {
      throw new TypeError(`the certificate log cannot be a ${certificateLog.log.kind} log`)
    }
    const ctSettings: CertificateLogSettings = { ...certificateLog, report }
    return {
      module: LogModule,
      controllers: [EntriesController, TilesController, CtController],
      providers: [v2, { provide: CERTIFICATE_LOG_SETTINGS, useValue: ctSettings }],
    }
  }
}
