import { MAX_SEARCH_TEXT, parseSearchKey, SEARCH_KINDS, type SearchKey, type Sha256 } from '@touchmark/entry'
import { MAX_CURSOR_CHARACTERS, MAX_SEARCH_HITS, type SearchQuery } from '@touchmark/ledger'
import { LogApiError } from '../../errors.js'

const DEFAULT_LIMIT = 20
/** Longest value of each parameter, in characters. */
const MAX_LENGTHS: ReadonlyMap<string, number> = new Map([
  ...SEARCH_KINDS.map((kind) => [kind, MAX_SEARCH_TEXT] as const),
  ['operator', 3],
  ['limit', 3],
  ['after', MAX_CURSOR_CHARACTERS],
])

/**
 * Reads the question of `GET /api/touchmark/v1/search`. Strict: a parameter that is unknown, repeated, empty, too long or wrongly encoded is refused, so that
 * a misspelt one never widens an answer. Throws LOG_PARAMETER_INVALID, ENTRY_SEARCH_INVALID.
 */
export function parseSearchQuery(url: string, sha256: Sha256): SearchQuery {
  const parameters = readParameters(url)
  const all: SearchKey[] = []
  for (const kind of SEARCH_KINDS) {
    const text = parameters.get(kind)
    if (text !== undefined) all.push(parseSearchKey(kind, text, sha256))
  }
  if (all.length === 0) throw invalid(`one of ${SEARCH_KINDS.join(', ')} is needed`)
  const operator = parameters.get('operator') ?? 'and'
  if (operator !== 'and' && operator !== 'or') throw invalid('parameter "operator" is "and" or "or"')
  const limitText = parameters.get('limit') ?? String(DEFAULT_LIMIT)
  const limit = /^[1-9][0-9]{0,2}$/.test(limitText) ? Number(limitText) : 0
  if (limit < 1 || limit > MAX_SEARCH_HITS) throw invalid(`parameter "limit" is a number from 1 to ${MAX_SEARCH_HITS}`)
  const after = parameters.get('after')
  return { logId: undefined, all, operator, limit, ...(after === undefined ? {} : { after }) }
}

/** Names that are not ours are not repeated in the error: they are a stranger's text. */
function readParameters(url: string): Map<string, string> {
  const at = url.indexOf('?')
  const found = new Map<string, string>()
  for (const part of at < 0 ? [] : url.slice(at + 1).split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals))
    const longest = MAX_LENGTHS.get(name)
    if (longest === undefined) throw invalid('there is a parameter that this route does not know')
    if (found.has(name)) throw invalid(`parameter "${name}" is there more than once`)
    const value = equals < 0 ? '' : decode(part.slice(equals + 1))
    if (value === '' || value.length > longest) throw invalid(`parameter "${name}" has 1 to ${longest} characters`)
    found.set(name, value)
  }
  return found
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new LogApiError('LOG_PARAMETER_INVALID', 'a parameter is not rightly encoded', { cause })
  }
}

function invalid(text: string): LogApiError {
  return new LogApiError('LOG_PARAMETER_INVALID', text)
}
