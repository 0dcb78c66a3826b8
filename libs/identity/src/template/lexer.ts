import { IdentityError } from '../errors.js'

/** A token inside `{{ }}`; `at` is its offset in the template, in bytes of UTF-8 from the line's start (Go counts so), `line` from 1. */
export interface Token {
  readonly kind: 'field' | 'dot' | 'word' | 'string' | 'open' | 'close'
  /** As written. */
  readonly source: string
  /** The value of a string. */
  readonly text: string
  readonly position: string
}

/** A template cut at its delimiters. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly position: string }

const MAX_LENGTH = 16 * 1024
const TOKEN =
  /\s+|(?<field>(?:\.[\p{L}_][\p{L}\p{Nd}_]*)+)|(?<dot>\.)|(?<word>[\p{L}_][\p{L}\p{Nd}_]*)|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<open>\()|(?<close>\))/uy
const SPACES = ' \t\r\n'

/** A refusal while parsing; Go names the line only. */
export function templateError(position: string, text: string): IdentityError {
  return new IdentityError('IDENTITY_TEMPLATE_INVALID', `template: :${position.split(':')[0]!}: ${text}`)
}

/** `line:column` as Go's text/template counts: lines from 1, columns in bytes from 0. */
function positionOf(source: string, at: number): string {
  const before = source.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  return `${before.split('\n').length}:${new TextEncoder().encode(before.slice(lineStart)).length}`
}

/** Cuts a template into text and actions, with the trim marks `{{-` and `-}}` and comments applied. Throws IDENTITY_TEMPLATE_INVALID. */
export function cutTemplate(source: string): Part[] {
  if (source.length > MAX_LENGTH) throw templateError('1', `the template is longer than ${MAX_LENGTH} characters`)
  const parts: Part[] = []
  let at = 0
  let trimNext = false
  for (;;) {
    const open = source.indexOf('{{', at)
    const text = source.slice(at, open < 0 ? source.length : open)
    const trimBefore = open >= 0 && source[open + 2] === '-' && SPACES.includes(source[open + 3] ?? 'x')
    parts.push({ kind: 'text', text: trim(text, trimNext, trimBefore) })
    if (open < 0) return parts
    const start = open + (trimBefore ? 4 : 2)
    const action = readAction(source, start, open)
    if (action.tokens !== undefined)
      parts.push({ kind: 'action', tokens: action.tokens, position: positionOf(source, open) })
    trimNext = action.trimAfter
    at = action.end
  }
}

function trim(text: string, start: boolean, end: boolean): string {
  const left = start ? text.replace(/^[ \t\r\n]+/, '') : text
  if (!end) return left
  let length = left.length
  while (length > 0 && SPACES.includes(left[length - 1]!)) length--
  return left.slice(0, length)
}

interface Action {
  readonly tokens: readonly Token[] | undefined
  readonly trimAfter: boolean
  readonly end: number
}

function readAction(source: string, start: number, open: number): Action {
  if (source.startsWith('/*', start)) {
    const close = /^\*\/([ \t\r\n]-)?\}\}/.exec(source.slice(Math.max(source.indexOf('*/', start), start)))
    if (close === null) throw templateError(positionOf(source, open), 'unclosed comment')
    return { tokens: undefined, trimAfter: close[1] !== undefined, end: source.indexOf('*/', start) + close[0].length }
  }
  const tokens: Token[] = []
  let at = start
  for (;;) {
    if (source.startsWith('}}', at)) return { tokens, trimAfter: false, end: at + 2 }
    if (source.startsWith('-}}', at) && SPACES.includes(source[at - 1] ?? 'x'))
      return { tokens, trimAfter: true, end: at + 3 }
    TOKEN.lastIndex = at
    const match = TOKEN.exec(source)
    if (match === null) {
      const position = positionOf(source, at)
      if (at >= source.length) throw templateError(position, 'unclosed action')
      throw templateError(position, badCharacter(source, at))
    }
    const kind = (['field', 'dot', 'word', 'string', 'open', 'close'] as const).find(
      (name) => match.groups?.[name] !== undefined,
    )
    if (kind !== undefined) {
      const text = kind === 'string' ? stringValue(match[0], positionOf(source, at)) : match[0]
      // Go places a chain `.a.b` at its second name.
      const second = kind === 'field' ? match[0].indexOf('.', 1) : -1
      tokens.push({ kind, source: match[0], text, position: positionOf(source, at + Math.max(second, 0)) })
    }
    at = TOKEN.lastIndex
  }
}

function stringValue(source: string, position: string): string {
  if (source.startsWith('`')) return source.slice(1, -1)
  if (/\\(?![abfnrtv\\"])/.test(source.slice(1, -1).replaceAll('\\\\', '')))
    throw templateError(position, `this escape in ${source} is not supported`)
  const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
  return source.slice(1, -1).replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char)
}

function badCharacter(source: string, at: number): string {
  const char = String.fromCodePoint(source.codePointAt(at)!)
  if ("|$,:=-+0123456789'".includes(char)) return `${char} is not supported in a template here`
  return `bad character U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${char}'`
}
