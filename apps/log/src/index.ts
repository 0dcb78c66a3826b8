export { LogApiError, type LogApiErrorCode } from './errors.js'
export { certificateLogApi, checkpointApi, entriesApi, tilesApi } from './http/api-shapes.js'
export { LogModule, MAX_BODY_BYTES, type LogOptions } from './log.module.js'
export type { ErrorReport } from './tokens.js'
