import type { Clock } from '@touchmark/clock'
import type { CryptoPort } from '@touchmark/crypto'
import type { SearchIndex } from '@touchmark/ledger'
import type { ErrorReport } from '../../tokens.js'
import type { Validation } from '../../validation/validation.js'
import type { RefusalPace } from '../refusal-pace.js'
import type { VirtualIndex } from './virtual-index.js'

export const V1_SETTINGS = Symbol('V1_SETTINGS')

/** What the controllers of API v1 are handed. */
export interface V1Settings {
  readonly virtual: VirtualIndex
  /** Without one, searching is switched off (501). */
  readonly search: Pick<SearchIndex, 'find'> | undefined
  readonly clock: Clock
  readonly crypto: CryptoPort
  /** The same in every API of this process. */
  readonly validation: Validation
  readonly maxBodyBytes: number
  readonly report: ErrorReport
  /** The same in every API that this process writes by. */
  readonly refusals: RefusalPace
}
