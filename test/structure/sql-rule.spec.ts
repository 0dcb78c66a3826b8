import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, jest } from '@jest/globals'

// "No SQL by concatenation" is held by ESLint (tools/eslint-sql-rule.mjs): here, that it is on for each place that knows SQL, and what it finds.

jest.setTimeout(60_000)

const migration = readdirSync(join(process.cwd(), 'migrations')).find((name) => /^\d+-.*\.ts$/.test(name))!
/** One file of each place; its text is replaced by the samples. */
const PLACES = [
  'libs/ledger/src/errors.ts',
  'libs/postgres/src/errors.ts',
  'apps/standalone/src/errors.ts',
  `migrations/${migration}`,
]
const FREE = 'test/integration/ledger.test.ts'

const REFUSED = [
  'void client.query(`select ${name} from logs`)',
  "void client.query('select ' + name)",
  "void client.query('select ' + ('a' + name))",
  'void client.query({ text: "select " + name, values: [] })',
  'void client.query({ name: "x", text: `select ${name}` })',
  'void client.query({ "text": `select ${name}` })',
  'void queryRunner.query(`create table ${name} (id int)`)',
  "void queryRunner.query('drop table ' + name)",
  'void (async () => { await dataSource.query(`select ${name}` as string, []) })()',
  'void client.query<{ a: string }>(`select ${name}`)',
  "void client.query('select '.concat(name))",
  "void client.query(['select', name].join(' '))",
  "void client.query('select $x'.replace('$x', name))",
  'void client.query(name === "" ? "select 1" : `select ${name}`)',
  'void client.query(name || `select ${name}`)',
  "void client['query'](`select ${name}`)",
  'void client?.query(`select ${name}`)',
  'void queryRows(client, `select ${name}`, [])',
  'void (() => { const sql = `select ${name}`; return client.query(sql) })()',
  'void (() => { const sql = { text: `select ${name}` }; return client.query(sql) })()',
  "void (() => { let sql = 'select '; sql += name; return client.query(sql) })()",
  "void (() => { let sql = ''; sql = 'select ' + name; return client.query(sql) })()",
  "void (() => { const part = 'a' + name; const sql = `select ${part}`; return client.query(sql) })()",
  'void client.query(sql`select ${name}`)',
]
const TAKEN = [
  "void client.query('select $1', [name])",
  'void client.query(`select 1`)',
  'void client.query(SELECT, [name])',
  'void client.query({ text: SELECT, values: [`${name}%`] })',
  "void client.query('select ' + 'a from logs')",
  'void client.query(`${COLUMNS} from logs`)',
  'void client.query(name === "" ? "select 1" : SELECT)',
  'void client.query(rows[0]!.sql)',
  'void ((sql: string) => client.query(sql, []))',
  'void queryRows(client, SELECT, [`${name}`])',
]

const DECLARED = [
  'type Takes = { query: (...all: unknown[]) => Promise<unknown> }',
  'declare const client: Takes, queryRunner: Takes, dataSource: Takes, name: string, rows: { sql: string }[]',
  'declare const queryRows: (...all: unknown[]) => Promise<unknown>, sql: (...all: unknown[]) => string',
  "const SELECT = 'select 1'",
  "const COLUMNS = 'select a' + `, b`",
]

/** Says at which lines of the text on its input the rule fails, by place, under the repository's own configuration. Types are left out: no rule here asks for them, and they cost half a minute. */
const PROGRAM = `
import { ESLint } from 'eslint'
import { text } from 'node:stream/consumers'
const eslint = new ESLint({
  ruleFilter: ({ ruleId }) => ruleId === 'touchmark/no-built-sql',
  overrideConfig: { languageOptions: { parserOptions: { projectService: false, project: false } } },
})
const code = await text(process.stdin)
const found = {}
for (const filePath of process.argv.slice(1)) {
  const [{ messages }] = await eslint.lintText(code, { filePath })
  found[filePath] = messages.map(({ ruleId, message, line }) => (ruleId === null ? message : line))
}
console.log(JSON.stringify(found))
`

function refusedLines(paths: readonly string[], lines: readonly string[]): Promise<Record<string, unknown[]>> {
  const environment = { ...process.env }
  delete environment['NODE_OPTIONS']
  return new Promise((resolve, reject) => {
    const args = ['--input-type=module', '--eval', PROGRAM, ...paths]
    const child = execFile(process.execPath, args, { env: environment }, (error, out) =>
      error === null ? resolve(JSON.parse(out) as Record<string, unknown[]>) : reject(error),
    )
    child.stdin!.end(lines.join('\n'))
  })
}

describe('no SQL by concatenation', () => {
  const lines = [...DECLARED, ...TAKEN, ...REFUSED]
  let found: Record<string, unknown[]>
  beforeAll(async () => {
    found = await refusedLines([...PLACES, FREE], lines)
  })

  it.each(PLACES)('is held in %s', (path) => {
    expect(found[path]!.map((line) => (typeof line === 'number' ? lines[line - 1] : line))).toEqual(REFUSED)
  })

  it('is not asked of tests, which make databases of their own', () => {
    expect(found[FREE]).toEqual([])
  })
})
