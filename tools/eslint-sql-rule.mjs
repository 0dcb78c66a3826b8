/** Where SQL is handed over: the name of the function or method, and which argument it is. */
const TAKES_SQL = { query: 0, queryRows: 1 }
const WRAPPERS = ['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion']
/** What makes a text of other texts. */
const BUILDERS = ['concat', 'join', 'replace', 'replaceAll', 'padEnd', 'padStart', 'repeat', 'format']

const bare = (node) => (WRAPPERS.includes(node.type) ? bare(node.expression) : node)
const calledName = ({ callee }) =>
  callee.type === 'Identifier' ? callee.name : (callee.property?.name ?? callee.property?.value)

/**
 * `no-built-sql`: SQL is a constant. A text that is put together from anything but constants is refused: as a template, with `+` or `+=`, by a method of
 * strings or lists, as the `text` of an object, in a branch of a condition, or by way of a variable. What comes in as a parameter is judged where it is made.
 */
const noBuiltSql = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { built: 'no SQL by concatenation: pass parameters' },
  },
  create(context) {
    const variableOf = (node) => {
      for (let scope = context.sourceCode.getScope(node); scope !== null; scope = scope.upper) {
        const found = scope.set.get(node.name)
        if (found !== undefined) return found
      }
      return undefined
    }
    /** Every value that a variable of this file is given; empty for a parameter or an import. */
    const valuesOf = (variable) => [
      ...variable.defs.flatMap(({ type, node }) => (type === 'Variable' && node.init && node.id.type === 'Identifier' ? [node.init] : [])), // prettier-ignore
      ...variable.references.flatMap(({ identifier: { parent }, init }) =>
        !init && parent.type === 'AssignmentExpression' && parent.left.type === 'Identifier' ? [parent] : [],
      ),
    ]
    /** A constant: made of constants all the way down. */
    const isConstant = (wrapped, seen) => {
      const node = bare(wrapped)
      if (node.type === 'Literal') return true
      if (node.type === 'TemplateLiteral') return node.expressions.every((part) => isConstant(part, seen))
      if (node.type === 'BinaryExpression') return isConstant(node.left, seen) && isConstant(node.right, seen)
      if (node.type === 'ConditionalExpression')
        return isConstant(node.consequent, seen) && isConstant(node.alternate, seen)
      if (node.type !== 'Identifier') return false
      const variable = variableOf(node)
      if (variable === undefined || seen.has(variable) || variable.defs[0]?.parent?.kind !== 'const') return false
      const values = valuesOf(variable)
      return values.length === 1 && isConstant(values[0], new Set([...seen, variable]))
    }
    const isBuilt = (wrapped, seen = new Set()) => {
      const node = bare(wrapped)
      switch (node.type) {
        case 'TemplateLiteral':
        case 'BinaryExpression':
          return !isConstant(node, seen)
        case 'TaggedTemplateExpression':
          return node.quasi.expressions.length > 0
        case 'AssignmentExpression':
          return node.operator !== '=' || isBuilt(node.right, seen)
        case 'ConditionalExpression':
          return isBuilt(node.consequent, seen) || isBuilt(node.alternate, seen)
        case 'LogicalExpression':
          return isBuilt(node.left, seen) || isBuilt(node.right, seen)
        case 'AwaitExpression':
          return isBuilt(node.argument, seen)
        case 'CallExpression':
          return BUILDERS.includes(calledName(node))
        case 'ObjectExpression':
          return node.properties.some((property) =>
            property.type === 'SpreadElement'
              ? isBuilt(property.argument, seen)
              : (property.key.name ?? property.key.value) === 'text' && isBuilt(property.value, seen),
          )
        case 'Identifier': {
          const variable = variableOf(node)
          if (variable === undefined || seen.has(variable)) return false
          return valuesOf(variable).some((value) => isBuilt(value, new Set([...seen, variable])))
        }
        default:
          return false
      }
    }
    return {
      CallExpression(node) {
        const name = calledName(node)
        const sql = Object.hasOwn(TAKES_SQL, name ?? '') ? node.arguments[TAKES_SQL[name]] : undefined
        if (sql !== undefined && sql.type !== 'SpreadElement' && isBuilt(sql)) context.report({ node: sql, messageId: 'built' }) // prettier-ignore
      },
    }
  },
}

export const sqlRules = { rules: { 'no-built-sql': noBuiltSql } }
