import { utf8Encode } from '@touchmark/encoding'
import { IdentityError } from '../errors.js'
import { quoteText } from './format.js'
import { isIpv4Literal, isIpv6Literal } from './ip-literal.js'
import { escapeUrl, isValidEncoding, unescapeUrl } from './url-escape.js'

/**
 * A URL as Go's net/url holds it; Fulcio writes a SAN by parsing and printing with it, and verifiers compare SANs byte by byte (ca.md §5).
 * All texts are byte strings: one character for each byte of UTF-8.
 */
export interface GoUrl {
  readonly scheme: string
  readonly opaque: string
  /** Already escaped, `name` or `name:password`; undefined when there is none. */
  readonly userInfo: string | undefined
  readonly host: string
  readonly path: string
  /** As written, when that differs from the path escaped anew. */
  readonly rawPath: string
  readonly rawQuery: string
  readonly forceQuery: boolean
  readonly omitHost: boolean
  readonly fragment: string
  readonly rawFragment: string
}

function fail(text: string): never {
  throw new IdentityError('IDENTITY_URL_INVALID', text)
}

function toBytes(text: string): string {
  let out = ''
  for (const byte of utf8Encode(text)) out += String.fromCharCode(byte)
  return out
}

const lossy = new TextDecoder('utf-8')

function fromBytes(bytes: string): string {
  return lossy.decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)))
}

/** Splits at the first separator; the separator is in neither part. */
function cut(text: string, separator: string): [before: string, after: string, found: boolean] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, '', false] : [text.slice(0, at), text.slice(at + separator.length), true]
}

/** Parses like Go's `url.Parse`. Throws IDENTITY_URL_INVALID with Go's text: `parse "<url>": <why>`. */
export function parseGoUrl(text: string): GoUrl {
  const [before, after] = cut(toBytes(text), '#')
  const inside = (shown: string, read: () => GoUrl): GoUrl => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return fail(`parse ${quoteText(fromBytes(shown))}: ${error.message}`)
    }
  }
  const url = inside(before, () => parseWithoutFragment(before))
  if (after === '') return url
  return inside(toBytes(text), () => {
    const fragment = unescapeUrl(after, 'fragment')
    return { ...url, fragment, rawFragment: escapeUrl(fragment, 'fragment') === after ? '' : after }
  })
}

function parseWithoutFragment(text: string): GoUrl {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused here
  if (/[\x00-\x1f\x7f]/.test(text)) fail('net/url: invalid control character in URL')
  if (text === '*') return { ...EMPTY, path: '*' }
  const [scheme, afterScheme] = schemeOf(text)
  const forceQuery = afterScheme.endsWith('?') && afterScheme.indexOf('?') === afterScheme.length - 1
  const [beforeQuery, rawQuery] = forceQuery ? [afterScheme.slice(0, -1), ''] : cut(afterScheme, '?')
  const url = { ...EMPTY, scheme, rawQuery, forceQuery }
  if (!beforeQuery.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: beforeQuery }
    if (cut(beforeQuery, '/')[0].includes(':')) fail('first path segment in URL cannot contain colon')
  }
  if (beforeQuery.startsWith('//') && (scheme !== '' || !beforeQuery.startsWith('///'))) {
    const rest = beforeQuery.slice(2)
    const slash = rest.indexOf('/')
    const authority = slash < 0 ? rest : rest.slice(0, slash)
    return { ...url, ...parseAuthority(scheme, authority), ...pathOf(slash < 0 ? '' : rest.slice(slash)) }
  }
  return { ...url, omitHost: scheme !== '' && beforeQuery.startsWith('/'), ...pathOf(beforeQuery) }
}

const EMPTY: GoUrl = {
  scheme: '',
  opaque: '',
  userInfo: undefined,
  host: '',
  path: '',
  rawPath: '',
  rawQuery: '',
  forceQuery: false,
  omitHost: false,
  fragment: '',
  rawFragment: '',
}

function schemeOf(text: string): [scheme: string, rest: string] {
  if (text.startsWith(':')) fail('missing protocol scheme')
  const match = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(text)
  return match === null ? ['', text] : [match[1]!.toLowerCase(), text.slice(match[0].length)]
}

function pathOf(escaped: string): Pick<GoUrl, 'path' | 'rawPath'> {
  const path = unescapeUrl(escaped, 'path')
  return { path, rawPath: escapeUrl(path, 'path') === escaped ? '' : escaped }
}

function parseAuthority(scheme: string, authority: string): Pick<GoUrl, 'userInfo' | 'host'> {
  const at = authority.lastIndexOf('@')
  const host = parseHost(scheme, authority.slice(at + 1))
  if (at < 0) return { userInfo: undefined, host }
  const info = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(info)) fail('net/url: invalid userinfo')
  const [name, password, hasPassword] = cut(info, ':')
  const escaped = escapeUrl(unescapeUrl(name, 'user'), 'user')
  if (!hasPassword) return { userInfo: escaped, host }
  return { userInfo: `${escaped}:${escapeUrl(unescapeUrl(password, 'user'), 'user')}`, host }
}

function checkPort(port: string): void {
  if (!/^(:\d*)?$/.test(port)) fail(`invalid port ${quoteText(fromBytes(port))} after host`)
}

function parseHost(scheme: string, text: string): string {
  const open = text.lastIndexOf('[')
  if (open > 0) fail('invalid IP-literal')
  if (open === 0) return parseIpLiteral(text)
  const first = text.indexOf(':')
  if (first >= 0) checkPort(text.slice(scheme === 'http' || scheme === 'https' ? first : text.lastIndexOf(':')))
  return unescapeUrl(text, 'host')
}

function parseIpLiteral(text: string): string {
  const close = text.lastIndexOf(']')
  if (close < 0) fail("missing ']' in host")
  const port = text.slice(close + 1)
  checkPort(port)
  const inner = text.slice(1, close)
  const zone = inner.indexOf('%25')
  const address =
    zone < 0
      ? unescapeUrl(inner, 'host')
      : unescapeUrl(inner.slice(0, zone), 'host') + unescapeUrl(inner.slice(zone), 'zone')
  if (isIpv4Literal(address)) fail('invalid IP-literal')
  if (!isIpv6Literal(address)) fail(`invalid host: ParseAddr(${quoteText(fromBytes(address))}): unable to parse IP`)
  return `[${address}]${port}`
}

/** The host without port and brackets, as text. */
export function goHostname(url: GoUrl): string {
  const host = url.host.replace(/:\d*$/, '')
  return fromBytes(/^\[.*\]$/.test(host) ? host.slice(1, -1) : host)
}

function escapedPath(url: GoUrl): string {
  if (url.rawPath !== '' && isValidEncoding(url.rawPath, 'path')) return url.rawPath
  return url.path === '*' ? '*' : escapeUrl(url.path, 'path')
}

function escapedFragment(url: GoUrl): string {
  if (url.rawFragment !== '' && isValidEncoding(url.rawFragment, 'fragment')) return url.rawFragment
  return escapeUrl(url.fragment, 'fragment')
}

function authorityAndPath(url: GoUrl): string {
  const { scheme, host, userInfo } = url
  let out = ''
  if (
    !(url.omitHost && host === '' && userInfo === undefined) &&
    (scheme !== '' || host !== '' || userInfo !== undefined)
  ) {
    if (host !== '' || url.path !== '' || userInfo !== undefined) out += '//'
    if (userInfo !== undefined) out += `${userInfo}@`
    out += escapeUrl(host, 'host')
  }
  const path = escapedPath(url)
  if (path !== '' && !path.startsWith('/') && host !== '') out += '/'
  if (out === '' && scheme === '' && cut(path, '/')[0].includes(':')) out += './'
  return out + path
}

/** Prints like Go's `URL.String`. */
export function printGoUrl(url: GoUrl): string {
  let out = url.scheme === '' ? '' : `${url.scheme}:`
  out += url.opaque !== '' ? url.opaque : authorityAndPath(url)
  if (url.forceQuery || url.rawQuery !== '') out += `?${url.rawQuery}`
  if (url.fragment !== '') out += `#${escapedFragment(url)}`
  return fromBytes(out)
}

/**
 * Joins like Go's `URL.JoinPath`: `.`, `..` and double slashes are resolved. Go ignores an element that cannot be unescaped and answers
 * the base URL alone, which would be another identity: here it is IDENTITY_URL_INVALID.
 */
export function joinGoUrl(base: GoUrl, ...elements: readonly string[]): GoUrl {
  const all = [escapedPath(base), ...elements.map(toBytes)]
  const rooted = all[0]!.startsWith('/')
  if (!rooted) all[0] = `/${all[0]!}`
  let path = cleanPath(all.filter((element) => element !== '').join('/'))
  if (!rooted) path = path.slice(1)
  if (all.at(-1)!.endsWith('/') && !path.endsWith('/')) path += '/'
  return { ...base, ...pathOf(path) }
}

/** Go's `path.Clean` for a path that begins with a slash. */
function cleanPath(path: string): string {
  const out: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') out.pop()
    else if (segment !== '' && segment !== '.') out.push(segment)
  }
  return `/${out.join('/')}`
}
