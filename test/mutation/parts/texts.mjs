// Which expressions are texts for people. A mutant of a text is not tested: wording is no contract (error codes are, and are never left out).
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

const REASON = 'a text for people'
const ERROR_CODE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/
/** Members of an error's details. */
const DETAILS = new Set(['check', 'expected', 'found', 'hint'])
/** The cause of an error is for the log. */
const isDetail = (property) => DETAILS.has(keyOf(property)) || keyOf(property) === 'cause'
/** All members of a PerformedCheck. */
const PERFORMED_CHECK = ['against', 'check', 'subject']
/** Functions that make an error: every argument is a text, but an error code. */
const REFUSALS = new Set([
  'at',
  'bad',
  'badIdentity',
  'badSignature',
  'duplicate',
  'fail',
  'invalid',
  'malformed',
  'mismatch',
  'missing',
  'refuse',
  'sctError',
  'tooMuch',
  'unsupportedKey',
  'versionRule',
])
/** Functions and constructors with the name of a thing, for their messages, among other arguments: where it stands. */
const NAMED_THINGS = new Map([
  ['Members', [1]],
  ['checkBytes', [1]],
  ['checkDates', [2]],
  ['checkHash', [0]],
  ['checkString', [1]],
  ['checkWithinCertificate', [1]],
  ['compare', [0]],
  ['compareBytes', [0]],
  ['decode', [1]],
  ['compareDecoded', [0]],
])
/** Functions that make a text of a value. */
const TEXT_FUNCTIONS = new Set(['at', 'shown'])
/** Variables that hold a text. */
const TEXT_VARIABLES = new Set(['path', 'period', 'what', 'where', 'why'])

function holdsErrorCode(node) {
  if (node === null || typeof node !== 'object') return false
  if (Array.isArray(node)) return node.some(holdsErrorCode)
  if (node.type === 'StringLiteral') return ERROR_CODE.test(node.value)
  return Object.entries(node).some(
    ([name, value]) => name !== 'loc' && !name.endsWith('Comments') && holdsErrorCode(value),
  )
}

function calleeName({ callee }) {
  if (callee.type === 'Identifier') return callee.name
  if (callee.type !== 'MemberExpression') return ''
  const { property } = callee
  if (property.type === 'PrivateName') return property.id.name
  return property.type === 'Identifier' ? property.name : ''
}

function isTextArgument(call, node) {
  const at = call.arguments.indexOf(node)
  if (at < 0) return false
  const name = calleeName(call)
  if (call.type === 'NewExpression' && name === 'RangeError') return true
  if (call.type === 'NewExpression' && name.endsWith('Error'))
    return at === 1 || (at === 2 && node.type === 'ObjectExpression' && node.properties.every(isDetail))
  return NAMED_THINGS.get(name)?.includes(at) === true || (REFUSALS.has(name) && !holdsErrorCode(node))
}

const keyOf = ({ key }) => (key?.type === 'Identifier' ? key.name : key?.value)

function isPerformedCheck(object) {
  const keys = object.properties.map(keyOf)
  return keys.length === PERFORMED_CHECK.length && PERFORMED_CHECK.every((key) => keys.includes(key))
}

function isHint(path) {
  const table = path.findParent(({ node }) => node.type === 'VariableDeclarator')
  return table !== null && table.node.id.type === 'Identifier' && table.node.id.name.endsWith('_HINTS')
}

/** `fits ? undefined : 'what is wrong'`, and `return 'what is wrong'`: what a lint rule answers. */
function isProblem({ node, parent, key }) {
  if (node.type !== 'StringLiteral' && node.type !== 'TemplateLiteral') return false
  if (parent.type === 'ReturnStatement') return true
  if (parent.type !== 'ConditionalExpression' || key === 'test') return false
  const other = key === 'consequent' ? parent.alternate : parent.consequent
  return other.type === 'Identifier' && other.name === 'undefined'
}

function isText(path) {
  const { node, parent, parentPath } = path
  if (node.type === 'FunctionDeclaration') return TEXT_FUNCTIONS.has(node.id?.name)
  if (!node.type.endsWith('Expression') && !node.type.endsWith('Literal')) return false
  if (parent?.type === 'NewExpression' || parent?.type === 'CallExpression') return isTextArgument(parent, node)
  if (parent?.type === 'ObjectProperty' && path.key === 'value')
    return isPerformedCheck(parentPath.parent) || isHint(path)
  if (parent?.type === 'AssignmentPattern' && path.key === 'right') return DETAILS.has(keyOf(parentPath.parent))
  const isString = node.type === 'StringLiteral' || node.type === 'TemplateLiteral'
  if (isString && parent?.type === 'VariableDeclarator' && TEXT_VARIABLES.has(parent.id.name)) return true
  return isProblem(path)
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'texts', { shouldIgnore: (path) => (isText(path) ? REASON : undefined) }),
]
