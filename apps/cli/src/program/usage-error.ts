import type { Command, CommanderError } from 'commander'
import { CliError } from '../errors.js'

/** Whether a command line asks for JSON, also one that could not be read. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** What is wrong with a command line, as an error like all others: CLI_USAGE, with what was expected and where to look. */
export function usageError(root: Command, argv: readonly string[], { code, message }: CommanderError): CliError {
  const command = commandOf(root, argv)
  const name = pathOf(command)
  const [, text = '', suggested] = /^(?:error: )?([^]*?)(?:\s*\(Did you mean ([^]*)\?\))?$/.exec(message) ?? []
  const expected = suggested ?? (code === 'commander.missingArgument' ? `${name} ${command.usage()}` : undefined)
  const help = `See ${name} --help${command.commands.length === 0 ? ': it ends with an example' : ''}.`
  return new CliError('CLI_USAGE', code === 'commander.help' ? `${name} needs a command` : text, {
    ...(code === 'commander.help' ? { expected: namesOf(command) } : expected === undefined ? {} : { expected }),
    hint: suggested === undefined ? help : `Did you mean ${suggested}? ${help}`,
  })
}

/** The command that the first words name, as far as they name one. */
function commandOf(root: Command, argv: readonly string[]): Command {
  let at = root
  for (const word of argv) {
    if (word === '--') break
    if (word.startsWith('-')) continue
    const next = at.commands.find((command) => command.name() === word)
    if (next === undefined) break
    at = next
  }
  return at
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function namesOf(command: Command): string {
  return command.commands.map((one) => one.name()).join(', ')
}
