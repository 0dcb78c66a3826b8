export { checkLog } from './check/check-log.js'
export type { CheckOptions, CheckReport } from './check/check-log.js'
export { checkStored, storedTrees } from './check/check-stored.js'
export type { CheckStoredOptions, StoredReport } from './check/check-stored.js'
export * from './errors.js'
export { CombinedGuard } from './guard/combined-guard.js'
export { FileGuard } from './guard/file-guard.js'
export { HttpGuard } from './guard/http-guard.js'
export type { HttpGuardOptions } from './guard/http-guard.js'
export type { GivenUpTree, GuardedHead, HeadGuard } from './guard/head-guard.js'
export {
  assertNeverSeen,
  giveUpAbsentTree,
  hasSignedAbsentTree,
  isGivenUpAndAbsent,
  surveyAbsentTree,
  type AbsentTree,
} from './guard/absent-tree.js'
export { giveUpTree, replaceGuard, surveyTree, treeKeySha256, treeOrigins } from './guard/recover.js'
export type { GuardVerdict, RecoverOptions, TreeSurvey } from './guard/recover.js'
export * from './observe.js'
export { openLog } from './open/open-log.js'
export { freezeLog } from './shards/freeze-log.js'
export type { FreezeOptions, FrozenLog } from './shards/freeze-log.js'
export * from './types.js'
export { reindex, type ReindexedTree, type ReindexProgress } from './search/reindex.js'
export { MAX_CURSOR_CHARACTERS } from './search/search-cursor.js'
export {
  SearchFollower,
  searchStatus,
  type SearchFollowerOptions,
  type SearchStatus,
} from './search/search-follower.js'
export {
  MAX_SEARCHED_KEYS,
  MAX_SEARCH_HITS,
  SearchIndex,
  type SearchHit,
  type SearchPage,
  type SearchQuery,
} from './search/search-index.js'
