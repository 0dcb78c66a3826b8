export * from './documents.js'
export * from './shape.js'
export * from './trust.module.js'
