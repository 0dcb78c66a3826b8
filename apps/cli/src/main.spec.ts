import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { Command } from 'commander'
import { EXIT_TEXT } from './exit-codes.js'
import { program } from './main.js'

const manual = readFileSync('docs/cli.md', 'utf8')

function leaves(command: Command, path: string): { path: string; command: Command }[] {
  return command.commands.length === 0
    ? [{ path, command }]
    : command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`))
}
const commands = leaves(program(), 'touchmark')

describe('the manual', () => {
  it.each(commands)('describes $path and every flag of it', ({ path, command }) => {
    const args = command.registeredArguments.map((one) => {
      const name = `${one.name()}${one.variadic ? '...' : ''}`
      return one.required ? ` <${name}>` : ` [${name}]`
    })
    expect(manual).toContain(`\n## \`${path}${args.join('')}\`\n`)
    const undocumented = command.options
      .map(({ flags }) => flags.replaceAll('|', '\\|'))
      .filter((flags) => !manual.includes(`\`${flags}\``) && !manual.includes(`\`${flags.split(' ')[0]}\``))
    expect(undocumented).toEqual([])
  })

  it('describes no command or flag that is not there', () => {
    const described = [...manual.matchAll(/^## `(touchmark [a-z -]+?)(?: [<[].*)?`$/gm)].map((match) => match[1])
    expect(described.sort()).toEqual(commands.map(({ path }) => path).sort())
    const flags = new Set([
      ...commands.flatMap(({ command }) => command.options.map(({ long }) => long)),
      '--json',
      '--version',
      '--help',
    ])
    const named = [...manual.matchAll(/(?<=`|^\$ touchmark .*)--[a-z][a-z-]+/gm)].map(([flag]) => flag)
    expect(named.filter((flag) => !flags.has(flag))).toEqual([])
  })

  it('lists the exit codes as the help does', () => {
    const rows = EXIT_TEXT.map(([code, text]) => `| ${code} | ${text} |\n`)
    expect(manual).toContain(rows.join(''))
  })
})
