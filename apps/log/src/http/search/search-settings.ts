import type { CryptoPort } from '@touchmark/crypto'
import type { Log, SearchIndex } from '@touchmark/ledger'
import type { ErrorReport } from '../../tokens.js'

export const SEARCH_SETTINGS = Symbol('SEARCH_SETTINGS')

export interface SearchSettings {
  readonly index: SearchIndex
  /** The trees that the index searches, as they are open at this moment. */
  readonly logs: () => readonly Log[]
  readonly crypto: CryptoPort
  readonly report: ErrorReport
}
