import { TsaError } from '../errors.js'

export const TIMESTAMP_QUERY = 'application/timestamp-query'
export const JSON_TYPE = 'application/json'

const TOKEN = String.raw`[!#$%&'*+.^_\x60|~0-9A-Za-z-]+`
const PARAMETERS = new RegExp(String.raw`^(?:\s*;\s*(?:${TOKEN}=(?:${TOKEN}|"(?:[^"\\]|\\.)*"))?)*\s*$`)
const ESSENCE = new RegExp(`^${TOKEN}/${TOKEN}$`)
const MAX_LENGTH = 256

/**
 * Which of the two forms a request has: media type rules, so any letter case and parameters (tsa.md §1, v2.1.4). An absent type counts as
 * application/octet-stream. Throws TSA_MEDIA_TYPE_INVALID or TSA_MEDIA_TYPE_UNSUPPORTED.
 */
export function readMediaType(header: string | undefined): typeof TIMESTAMP_QUERY | typeof JSON_TYPE {
  const value = header === undefined || header === '' ? 'application/octet-stream' : header
  const shown = value.slice(0, MAX_LENGTH)
  const semicolon = value.indexOf(';')
  const essence = (semicolon < 0 ? value : value.slice(0, semicolon)).trim()
  const why = malformed(value, essence, semicolon)
  if (why !== undefined)
    throw new TsaError(
      'TSA_MEDIA_TYPE_INVALID',
      `parsing Content-Type header from ${JSON.stringify(shown)} failed, because mediatype: malformed: ${JSON.stringify(essence.slice(0, MAX_LENGTH))} ${why}`,
    )
  const type = essence.toLowerCase()
  if (type === TIMESTAMP_QUERY || type === JSON_TYPE) return type
  throw new TsaError(
    'TSA_MEDIA_TYPE_UNSUPPORTED',
    `unsupported media type ${JSON.stringify(essence)}, only [${TIMESTAMP_QUERY} ${JSON_TYPE}] are allowed`,
  )
}

function malformed(value: string, essence: string, semicolon: number): string | undefined {
  if (value.length > MAX_LENGTH) return 'is too long'
  if (!essence.includes('/')) return 'has no subtype'
  if (!ESSENCE.test(essence)) return 'is no media type'
  if (semicolon >= 0 && !PARAMETERS.test(value.slice(semicolon))) return 'has malformed parameters'
  return undefined
}
