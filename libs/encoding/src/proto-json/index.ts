export { decodeProtoJson } from './decode.js'
export { parseJson, type ParseJsonOptions } from './parse-json.js'
export type { ProtoField, ProtoJsonOptions, ProtoSchema } from './schema.js'
