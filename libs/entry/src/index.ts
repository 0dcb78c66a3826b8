export {
  encodeEntryBody,
  ENTRY_VERSION,
  MAX_ENTRY_BYTES,
  type DsseBody,
  type EntryBody,
  type EntryDigest,
  type EntrySignature,
  type EntryVerifier,
  type HashedRekordBody,
} from './body.js'
export { canonicalise, type CanonicalEntry } from './canonicalise.js'
export * from './errors.js'
export { parseEntryBody } from './parse-body.js'
export { parseEntryRequest, type DsseRequest, type EntryRequest, type HashedRekordRequest } from './request.js'
