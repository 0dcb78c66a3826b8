import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import ts from 'typescript'
import { importTable } from '../../tools/import-table.mjs'

interface Row {
  imports: string[]
  external?: string[]
  node?: boolean
}
const table = importTable as Record<string, Row>
const root = process.cwd()

function sources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && /(?<!\.spec)\.ts$/.test(entry.name) && !/dist|node_modules|testing/.test(entry.parentPath),
    )
    .map((entry) => join(entry.parentPath, entry.name))
}

function specifiers(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName)
}

describe('the import table', () => {
  it('has a row for every package', () => {
    const folders = ['libs', 'apps'].flatMap((group) =>
      readdirSync(join(root, group)).map((name) => `${group}/${name}`),
    )
    expect(Object.keys(table).sort()).toEqual([...folders, 'migrations'].sort())
  })

  it.each(Object.entries(table))('holds for %s', (folder, row) => {
    const from = folder === 'migrations' ? join(root, folder) : join(root, folder, 'src')
    expect(existsSync(from)).toBe(true)
    const wrong: string[] = []
    for (const file of sources(from)) {
      for (const specifier of specifiers(file)) {
        if (specifier.startsWith('.')) continue
        const own = /^@touchmark\/([^/]+)/.exec(specifier)?.[1]
        const fine =
          own !== undefined
            ? row.imports.includes(own)
            : specifier.startsWith('node:')
              ? row.node === true
              : (row.external ?? []).some((name) => specifier === name || specifier.startsWith(`${name}/`))
        if (!fine) wrong.push(`${file.slice(root.length + 1)} imports ${specifier}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
