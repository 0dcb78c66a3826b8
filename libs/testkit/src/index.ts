export { TestDatabase, testDatabase } from './database/test-database.js'
export type { TestDatabaseOptions } from './database/test-database.js'
