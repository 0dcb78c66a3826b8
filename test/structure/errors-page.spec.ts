import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import ts from 'typescript'

const root = process.cwd()

function sources(): string[] {
  return ['libs', 'apps'].flatMap((group) =>
    readdirSync(join(root, group), { recursive: true, withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() &&
          /(?<!\.spec|\.d)\.ts$/.test(entry.name) &&
          !/[\\/](dist|node_modules|testing)([\\/]|$)/.test(entry.parentPath),
      )
      .map((entry) => join(entry.parentPath, entry.name)),
  )
}

/** Keys of the object literals in a file, by the name of their constant. */
function constantKeys(file: ts.SourceFile): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name, initializer } of statement.declarationList.declarations) {
      const value = initializer && ts.isAsExpression(initializer) ? initializer.expression : initializer
      if (!ts.isIdentifier(name) || value === undefined || !ts.isObjectLiteralExpression(value)) continue
      found.set(
        name.text,
        value.properties.flatMap(({ name: key }) =>
          key !== undefined && (ts.isIdentifier(key) || ts.isStringLiteral(key)) ? [key.text] : [],
        ),
      )
    }
  }
  return found
}

/** The codes of every `…ErrorCode` type of a file: string literals of its union, and the keys of a table it is `keyof typeof`. */
function codesOfUnions(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const keys = constantKeys(file)
  const codes: string[] = []
  const collect = (node: ts.Node): void => {
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) codes.push(node.literal.text)
    else if (ts.isTypeQueryNode(node)) codes.push(...(keys.get(node.exprName.getText(file)) ?? []))
    else ts.forEachChild(node, collect)
  }
  for (const statement of file.statements)
    if (ts.isTypeAliasDeclaration(statement) && statement.name.text.endsWith('ErrorCode')) collect(statement.type)
  return codes
}

/** Codes that stand in problem bodies only, where no error is thrown: `sendProblem(response, 404, 'NOT_FOUND', …)`. */
function codesOfProblems(text: string): string[] {
  return [...text.matchAll(/sendProblem\(\s*\w+,\s*\d{3},\s*'([A-Z_]+)'/g)].map((match) => match[1]!)
}

function inSource(): string[] {
  const all = sources().flatMap((path) => {
    const text = readFileSync(path, 'utf8')
    return [...(text.includes('ErrorCode') ? codesOfUnions(path, text) : []), ...codesOfProblems(text)]
  })
  return [...new Set(all)].sort()
}

/** First cells of the page's tables. */
function onPage(): string[] {
  const page = readFileSync(join(root, 'docs', 'errors.md'), 'utf8')
  return [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]!)
}

describe('docs/errors.md', () => {
  const source = inSource()
  const page = onPage()

  it('is compared with codes of every kind of declaration', () => {
    expect(source).toEqual(
      expect.arrayContaining(['DER_INVALID', 'LEDGER_PUSHBACK', 'VERIFY_SCT_MISSING', 'POLICY_EMPTY', 'NOT_FOUND']),
    )
  })

  it('lists every code of the source', () => {
    expect(source.filter((code) => !page.includes(code))).toEqual([])
  })

  it('lists no code that the source does not have', () => {
    expect(page.filter((code) => !source.includes(code))).toEqual([])
  })

  it('lists each code once', () => {
    expect(page.filter((code, index) => page.indexOf(code) !== index)).toEqual([])
  })
})
