export { readConfig, type StandaloneConfig, type UpOptions } from './config/options.js'
export { freezeShard, type FreezeShardOptions } from './maintenance/freeze-shard.js'
export {
  fsckDatabase,
  type FsckDatabaseOptions,
  type FsckDatabaseWork,
  type TreeCheck,
} from './maintenance/fsck-database.js'
export { listShards, type ShardSummary } from './maintenance/list-shards.js'
export { openMaintenance, type Maintenance, type MaintenanceOptions } from './maintenance/open-maintenance.js'
export { reindexSearch, type ReindexedTree, type ReindexProgress } from './maintenance/reindex.js'
export { rollover, type RolloverOptions } from './maintenance/rollover.js'
export { rolloverV1, type RolloverV1Options } from './maintenance/rollover-v1.js'
export { openRecovery, type Recovery, type RecoveryOptions, type TreeSurvey } from './maintenance/recover.js'
export { runStandalone } from './run.js'
export { startStandalone, type Standalone } from './start.js'
export { removeEmbeddedPostgres } from '@touchmark/postgres'
