export { readConfig, type StandaloneConfig, type UpOptions } from './config/options.js'
export { runStandalone } from './run.js'
export { startStandalone, type Standalone } from './start.js'
export { removeEmbeddedPostgres } from '@touchmark/postgres'
