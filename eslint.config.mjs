import js from '@eslint/js'
import tseslint from 'typescript-eslint'
import { sqlRules } from './tools/eslint-sql-rule.mjs'
import { importTable } from './tools/import-table.mjs'

const PURE_FORBIDDEN = ['fs', 'path', 'crypto', 'buffer', 'http', 'https', 'net']

/** One row of the import table: no workspace package that is not in it, no path into another package. (npm packages: test/structure/imports.spec.ts.) */
function importRules([folder, { imports, node = false }]) {
  const allowed = imports
    .map((name) => `!@touchmark/${name}`)
    .concat(imports.includes('crypto') ? ['!@touchmark/crypto/*'] : [])
  const patterns = [
    {
      group: ['@touchmark/*', ...allowed],
      message: `${folder} may not import this package: see tools/import-table.mjs`,
    },
    { group: ['**/dist/**', '../../../*/src/**'], message: 'import a package by its name' },
  ]
  const message = `${folder} is pure: no node: modules`
  if (!node) patterns.push({ group: ['node:*'], message })
  // Bare names go by exact path: as a pattern, `crypto` would also match @touchmark/crypto.
  const paths = node ? [] : PURE_FORBIDDEN.map((name) => ({ name, message }))
  return {
    files: [`${folder}/**/*.ts`],
    ignores: ['**/*.spec.ts', '**/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { paths, patterns }],
      ...(node ? {} : { 'no-restricted-globals': ['error', 'Buffer', 'process', '__dirname', 'fetch'] }),
    },
  }
}

const erasable = [
  { selector: 'TSEnumDeclaration', message: 'libs use erasable TypeScript only: no enums' },
  { selector: 'TSParameterProperty', message: 'libs use erasable TypeScript only: no parameter properties' },
  { selector: 'Decorator', message: 'libs use no decorators' },
]
const time = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'time comes in as a Clock',
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'time comes in as a Clock' },
]

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.cache/**', 'coverage/**'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        performance: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    plugins: { touchmark: sqlRules },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines': ['error', 500],
      'touchmark/no-built-sql': 'error',
      'no-restricted-syntax': ['error', ...time],
    },
  },
  {
    files: ['libs/*/src/**/*.ts'],
    ignores: ['libs/service/**', 'libs/clock/**', '**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...time, ...erasable] },
  },
  { files: ['libs/clock/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...erasable] } },
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    rules: { 'no-restricted-syntax': 'off', 'no-restricted-imports': 'off', 'touchmark/no-built-sql': 'off' },
  },
  ...Object.entries(importTable).map(importRules),
)
