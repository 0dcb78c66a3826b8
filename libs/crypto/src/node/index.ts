export * from './hashes.js'
export * from './memory-signer.js'
export * from './node-crypto.js'
