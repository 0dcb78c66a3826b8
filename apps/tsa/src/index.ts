export { aloneApi, timestampApi } from './api-shape.js'
export {
  MonotonicClockGuard,
  trustingClockGuard,
  type ClockGuard,
  type MonotonicClockGuardOptions,
} from './clock-guard.js'
export { TsaError, type TsaErrorCode } from './errors.js'
export { MAX_BODY_BYTES, TsaModule, type TsaOptions } from './tsa.module.js'
