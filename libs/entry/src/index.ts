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
export { MAX_SEARCH_TEXT, parseSearchKey } from './search-keys/parse-search-key.js'
export { extractSearchKeys, SEARCH_KEYS_VERSION, type ExtractedKeys } from './search-keys/extract.js'
export {
  MAX_SEARCH_KEYS,
  MAX_SEARCH_VALUE,
  SEARCH_KINDS,
  searchKey,
  type SearchKey,
  type SearchKind,
  type Sha256,
} from './search-keys/search-key.js'
export * from './v1/index.js'
