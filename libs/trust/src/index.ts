export * from './client-trust-config.js'
export * from './errors.js'
export { trustedRootFingerprint } from './fingerprint.js'
export {
  encodeSigningConfig,
  parseSigningConfig,
  selectServices,
  SIGNING_CONFIG_MEDIA_TYPE,
  type Service,
  type ServiceSelector,
  type ServiceWish,
  type SigningConfig,
} from './signing-config.js'
export { formatTime, isWithin, type TimeRange } from './time-range.js'
export {
  encodeTrustedRoot,
  parseTrustedRoot,
  TRUSTED_ROOT_MEDIA_TYPE,
  type Authority,
  type LogInstance,
  type TrustedRoot,
} from './trusted-root.js'
