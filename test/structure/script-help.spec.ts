import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const root = process.cwd()
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
/** Those that are a script of their own behind tools/run.mjs; the others are Jest or `touchmark up`, which have their own help. */
const OWN = /^(bench|test:(browser|differential|fuzz|interop|mutation))/

describe('npm run NAME -- --help', () => {
  const names = Object.keys(scripts).filter((name) => OWN.test(name))

  it.each(names)('%s: says what it does, with an example, and does nothing else', (name) => {
    const args = scripts[name]!.replace(/^.*\bnode /, '').split(' ')
    const text = execFileSync(process.execPath, [...args, '--help'], { cwd: root, encoding: 'utf8' })
    expect(text).toContain(`npm run ${name}`)
    expect(text).toMatch(new RegExp(`^Example: npm run ${name} -- --`, 'm'))
  })

  it('there are such scripts', () => {
    expect(names.length).toBeGreaterThan(8)
  })
})
