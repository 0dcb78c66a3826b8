import { IdentityError } from '../errors.js'
import { quoteText } from '../go/format.js'
import type { Expression, Node, Template } from './parser.js'

/** What `.` is: one flat map of strings. */
export type TemplateData = ReadonlyMap<string, string>

/** Runs a template. Throws IDENTITY_SUBJECT_INVALID with Go's text when it names what the data has not (`missingkey=error`). */
export function runTemplate(template: Template, data: TemplateData): string {
  return template.map((node) => runNode(node, data)).join('')
}

function runNode(node: Node, data: TemplateData): string {
  if (node.kind === 'text') return node.text
  if (node.kind === 'print') return String(evaluate(node.value, data))
  return runTemplate(isTrue(evaluate(node.condition, data)) ? node.then : node.otherwise, data)
}

function isTrue(value: string | boolean): boolean {
  return value !== '' && value !== false
}

function evaluate(expression: Expression, data: TemplateData): string | boolean {
  if (expression.kind === 'string') return expression.value
  if (expression.kind === 'field') return readField(expression, data)
  const [first, ...rest] = expression.args as readonly [Expression, ...Expression[]]
  switch (expression.name) {
    case 'index':
      return data.get(String(evaluate(rest[0]!, data))) ?? ''
    case 'not':
      return !isTrue(evaluate(first, data))
    case 'ne':
      return evaluate(first, data) !== evaluate(rest[0]!, data)
    case 'eq': {
      const wanted = evaluate(first, data)
      return rest.map((other) => evaluate(other, data)).includes(wanted)
    }
    case 'and':
    case 'or': {
      // Go's: the value that decides, and what comes after it is not evaluated.
      let value = evaluate(first, data)
      for (const other of rest) {
        if (isTrue(value) === (expression.name === 'or')) break
        value = evaluate(other, data)
      }
      return value
    }
  }
}

function readField(field: Expression & { kind: 'field' }, data: TemplateData): string {
  const [name = '', ...deeper] = field.name.split('.')
  const where = `template: :${field.position}: executing "" at <${field.source}>:`
  const value = data.get(name)
  if (value === undefined)
    throw new IdentityError('IDENTITY_SUBJECT_INVALID', `${where} map has no entry for key ${quoteText(name)}`)
  if (deeper.length > 0)
    throw new IdentityError('IDENTITY_SUBJECT_INVALID', `${where} can't evaluate field ${deeper[0]!} in type string`)
  return value
}
