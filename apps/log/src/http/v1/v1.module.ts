import { Module, type DynamicModule } from '@nestjs/common'
import type { Clock } from '@touchmark/clock'
import type { CryptoPort } from '@touchmark/crypto'
import type { SearchIndex } from '@touchmark/ledger'
import type { ErrorReport } from '../../tokens.js'
import type { Validation } from '../../validation/validation.js'
import type { RefusalPace } from '../refusal-pace.js'
import { V1EntriesController } from './entries.controller.js'
import { V1IndexController } from './index.controller.js'
import { V1LogController } from './log.controller.js'
import { V1_SETTINGS, type V1Settings } from './settings.js'
import type { V1Trees } from './v1-trees.js'
import { VirtualIndex } from './virtual-index.js'

/** What the contract finds ample (log-v1.md §11): a payload travels in it, twice in base64. */
export const MAX_V1_BODY_BYTES = 20 << 20

export interface LogV1Options {
  /** Whoever opened them closes them, after the last request. */
  readonly trees: V1Trees
  /** Without one, searching is switched off. */
  readonly search?: Pick<SearchIndex, 'find'>
  readonly clock: Clock
  readonly crypto: CryptoPort
  /** One for all APIs of a process; whoever started it closes it, after the last request. */
  readonly validation: Validation
  readonly maxBodyBytes?: number
  /** Is told of every error that a route answers with. */
  readonly report?: ErrorReport
  /** One for all APIs of a process; whoever ends the process opens it first. */
  readonly refusals: RefusalPace
}

/** API v1 of the log as a Nest module. Routes that it does not take are answered by its ApiShapes. */
@Module({})
export class LogV1Module {
  static register(options: LogV1Options): DynamicModule {
    const {
      trees,
      search,
      clock,
      crypto,
      validation,
      refusals,
      maxBodyBytes = MAX_V1_BODY_BYTES,
      report = () => undefined,
    } = options
    for (const { log } of trees.trees()) {
      if (log.kind !== 'signature-v1') throw new TypeError(`API v1 is served from signature-v1 logs, not ${log.kind}`)
    }
    const virtual = new VirtualIndex(trees)
    const settings: V1Settings = { virtual, search, clock, crypto, validation, maxBodyBytes, report, refusals }
    return {
      module: LogV1Module,
      controllers: [V1EntriesController, V1LogController, V1IndexController],
      providers: [{ provide: V1_SETTINGS, useValue: settings }],
    }
  }
}
