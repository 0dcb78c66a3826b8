export * from './noble-crypto.js'
