import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Command } from 'commander'
import { EXIT_TEXT } from './exit-codes.js'
import { main, program } from './main.js'

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

describe('a command line that cannot be read', () => {
  const said = { out: '', err: '' }
  beforeEach(() => {
    said.out = said.err = ''
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => (said.out += String(text)) !== '')
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => (said.err += String(text)) !== '')
  })
  afterEach(() => {
    jest.restoreAllMocks()
    process.exitCode = 0
  })

  it.each<[string, string, string | undefined, string]>([
    ['sgin', "unknown command 'sgin'", 'sign', 'Did you mean sign? See touchmark --help.'],
    [
      'verify',
      "missing required argument 'file'",
      'touchmark verify [options] <file...>',
      'See touchmark verify --help',
    ],
    ['sign a --resum', "unknown option '--resum'", '--resume', 'Did you mean --resume? See touchmark sign --help'],
    ['log shwo', 'unknown command', 'show', 'Did you mean show? See touchmark log --help'],
    ['verify a --threads x', 'must be a number from 0 to 64', undefined, 'See touchmark verify --help'],
    ['trust use', 'missing required argument', 'touchmark trust use [options] <url>', 'See touchmark trust use --help'],
    ['doctor too much', 'too many arguments', undefined, 'See touchmark doctor --help'],
  ])('is said with a code and advice: %s', async (line, message, expected, hint) => {
    await main(line.split(' '))
    expect([said.out, process.exitCode]).toEqual(['', 2])
    expect(said.err).toMatch(/^touchmark: .*\n( {2}\w+ +.*\n)*$/)
    for (const part of [message, expected ?? '', `  do `, hint, 'CLI_USAGE']) expect(said.err).toContain(part)
    said.err = ''
    await main([...line.split(' '), '--json'])
    expect([said.err, process.exitCode]).toEqual(['', 2])
    expect(JSON.parse(said.out)).toEqual({
      error: expect.objectContaining({
        code: 'CLI_USAGE',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
        ...(expected === undefined ? {} : { expected }),
      }),
    })
  })

  it.each(['', 'log'])('is answered with the help when it names no command: "touchmark %s"', async (line) => {
    const words = line.split(' ').filter((word) => word !== '')
    await main(words)
    expect([said.out, process.exitCode]).toEqual(['', 2])
    expect(said.err).toContain('Usage: touchmark')
    await main([...words, '--json'])
    expect(JSON.parse(said.out)).toMatchObject({ error: { code: 'CLI_USAGE', expected: expect.stringContaining(',') } })
  })

  it.each(['--help', '--version', 'sign --help'])('is not one that asks for %s', async (line) => {
    await main(line.split(' '))
    expect([said.err, process.exitCode]).toEqual(['', 0])
    expect(said.out).not.toBe('')
  })

  it('takes --json after -- for a file', async () => {
    await main(['sgin', '--', '--json'])
    expect([said.out, process.exitCode]).toEqual(['', 2])
  })
})

describe('the help', () => {
  it.each(['touchmark', ...commands.map(({ path }) => path)])('of %s is at most 80 columns wide', (path) => {
    const words = path.split(' ').slice(1)
    const command = words.reduce<Command>((at, word) => at.commands.find((one) => one.name() === word)!, program())
    let text = ''
    command.configureOutput({ writeOut: (part) => void (text += part), getOutHelpWidth: () => 80 })
    command.outputHelp()
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})
