import { cutTemplate, templateError, type Part, type Token } from './lexer.js'

export type FunctionName = 'eq' | 'ne' | 'and' | 'or' | 'not' | 'index'

/** What has a value: a string of the data, a literal, or a call. */
export type Expression =
  | { readonly kind: 'field'; readonly name: string; readonly source: string; readonly position: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] }

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | {
      readonly kind: 'if'
      readonly condition: Expression
      readonly then: readonly Node[]
      readonly otherwise: readonly Node[]
    }

/** A parsed template. */
export type Template = readonly Node[]

const FUNCTIONS: Readonly<Record<FunctionName, readonly [least: number, most: number]>> = {
  eq: [2, 16],
  ne: [2, 2],
  and: [1, 16],
  or: [1, 16],
  not: [1, 1],
  index: [2, 2],
}
/** What Go's text/template has too. */
const UNSUPPORTED = new Set(
  'range with define template block break continue nil true false print printf println html js urlquery len slice call lt le gt ge'.split(
    ' ',
  ),
)
const MAX_NESTING = 16

/**
 * Parses the part of Go's text/template that issuer configurations use: `.name`, `index . "name"`, string literals, `if` … `else if` … `else` …
 * `end`, `eq`, `ne`, `and`, `or`, `not`, parentheses, comments and trim marks. All else is refused, so that a server does not start with a
 * template that it would run differently. Throws IDENTITY_TEMPLATE_INVALID.
 */
export function parseTemplate(source: string): Template {
  const reader = new TemplateReader(cutTemplate(source))
  return reader.template()
}

class TemplateReader {
  readonly #parts: readonly Part[]
  #next = 0

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  template(): Template {
    const { nodes, ended } = this.#list(0)
    if (ended !== undefined) throw templateError(ended.position, `unexpected {{${ended.tokens[0]!.source}}}`)
    return nodes
  }

  /** Reads nodes up to an `else` or `end`, which is answered too. */
  #list(depth: number): { nodes: Node[]; ended: (Part & { kind: 'action' }) | undefined } {
    if (depth > MAX_NESTING) throw templateError('1', `nested deeper than ${MAX_NESTING}`)
    const nodes: Node[] = []
    while (this.#next < this.#parts.length) {
      const part = this.#parts[this.#next++]!
      if (part.kind === 'text') {
        if (part.text !== '') nodes.push(part)
        continue
      }
      const first = part.tokens[0]
      if (first === undefined) throw templateError(part.position, 'missing value for command')
      if (first.kind !== 'word') nodes.push({ kind: 'print', value: printed(part) })
      else if (first.source === 'else' || first.source === 'end') return { nodes, ended: part }
      else if (first.source === 'if') nodes.push(this.#condition(part.tokens.slice(1), part.position, depth))
      else nodes.push({ kind: 'print', value: printed(part) })
    }
    return { nodes, ended: undefined }
  }

  #condition(tokens: readonly Token[], position: string, depth: number): Node {
    const condition = parseExpression(tokens, position)
    const then = this.#list(depth + 1)
    const ended = then.ended
    if (ended === undefined) throw templateError(position, 'unexpected EOF')
    const [word, ...rest] = ended.tokens
    if (word!.source === 'end') {
      refuseMore(rest, 'end')
      return { kind: 'if', condition, then: then.nodes, otherwise: [] }
    }
    if (rest[0]?.kind === 'word' && rest[0].source === 'if') {
      const nested = this.#condition(rest.slice(1), ended.position, depth + 1)
      return { kind: 'if', condition, then: then.nodes, otherwise: [nested] }
    }
    refuseMore(rest, 'else')
    const otherwise = this.#list(depth + 1)
    if (otherwise.ended === undefined) throw templateError(position, 'unexpected EOF')
    if (otherwise.ended.tokens[0]!.source !== 'end')
      throw templateError(otherwise.ended.position, 'expected end; found {{else}}')
    refuseMore(otherwise.ended.tokens.slice(1), 'end')
    return { kind: 'if', condition, then: then.nodes, otherwise: otherwise.nodes }
  }
}

function refuseMore(tokens: readonly Token[], where: string): void {
  if (tokens.length > 0)
    throw templateError(tokens[0]!.position, `unexpected ${JSON.stringify(tokens[0]!.source)} in ${where}`)
}

/** A value that is printed must be a string: booleans come from `eq` and the like, which belong in an `if`. */
function printed(part: Part & { kind: 'action' }): Expression {
  const value = parseExpression(part.tokens, part.position)
  if (value.kind === 'call' && value.name !== 'index')
    throw templateError(part.position, `${value.name} is supported in {{if}} only`)
  return value
}

function parseExpression(tokens: readonly Token[], position: string): Expression {
  const cursor = { tokens, next: 0, position }
  const value = parseCommand(cursor, 0)
  refuseMore(tokens.slice(cursor.next), 'operand')
  return value
}

interface Cursor {
  readonly tokens: readonly Token[]
  readonly position: string
  next: number
}

/** An operand by itself, or a function and its operands. */
function parseCommand(cursor: Cursor, depth: number): Expression {
  const first = cursor.tokens[cursor.next]
  if (first === undefined) throw templateError(cursor.position, 'missing value for command')
  if (first.kind !== 'word') return parseOperand(cursor, depth)
  if (UNSUPPORTED.has(first.source))
    throw templateError(first.position, `${first.source} is not supported in a template here`)
  if (!Object.hasOwn(FUNCTIONS, first.source))
    throw templateError(first.position, `function ${JSON.stringify(first.source)} not defined`)
  const name = first.source as FunctionName
  cursor.next++
  const args: Expression[] = []
  if (name === 'index') {
    // Data is one flat map: the first operand can be nothing but the map itself.
    if (cursor.tokens[cursor.next]?.kind !== 'dot') throw templateError(first.position, 'index is supported on . only')
    cursor.next++
    args.push({ kind: 'string', value: '' })
  }
  while (cursor.next < cursor.tokens.length && cursor.tokens[cursor.next]!.kind !== 'close')
    args.push(parseOperand(cursor, depth))
  const [least, most] = FUNCTIONS[name]
  if (args.length < least || args.length > most) throw templateError(first.position, `wrong number of args for ${name}`)
  return { kind: 'call', name, args }
}

function parseOperand(cursor: Cursor, depth: number): Expression {
  const token = cursor.tokens[cursor.next++]!
  if (token.kind === 'string') return { kind: 'string', value: token.text }
  if (token.kind === 'field')
    return { kind: 'field', name: token.source.slice(1), source: token.source, position: token.position }
  if (token.kind !== 'open')
    throw templateError(token.position, `unexpected ${JSON.stringify(token.source)} in operand`)
  if (depth === MAX_NESTING) throw templateError(token.position, `nested deeper than ${MAX_NESTING}`)
  const value = parseCommand(cursor, depth + 1)
  const close = cursor.tokens[cursor.next++]
  if (close?.kind !== 'close') throw templateError(token.position, 'unclosed left paren')
  return value
}
