// Preloaded into a process whose verifier is to fail in a way that nobody foresaw.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

crypto.createHash = () => {
  throw new TypeError('a fault of ours')
}
syncBuiltinESMExports()
