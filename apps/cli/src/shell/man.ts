import { everyCommand, type CommandModel, type FlagModel } from './command-tree.js'

/** What the manual page holds beside the commands. */
export interface ManualParts {
  readonly version: string
  readonly environment: readonly (readonly [string, string])[]
  readonly exitCodes: readonly (readonly [number, string])[]
}

/** The manual page, in roff with the man macros. */
export function manualPage(tree: CommandModel, parts: ManualParts): string {
  const leaves = everyCommand(tree).filter(({ commands }) => commands.length === 0)
  return `${[
    `.\\" Made by \`touchmark man\` from the commands themselves.`,
    `.TH TOUCHMARK 1 "" "touchmark ${parts.version}" "Touchmark"`,
    '.SH NAME',
    'touchmark \\- keyless signing with your own instance',
    '.SH SYNOPSIS',
    '.B touchmark',
    '.RI [ options ] " command " [ arguments ]',
    '.SH DESCRIPTION',
    text(tree.description),
    'Results go to standard output, everything else to standard error. With',
    '.B \\-\\-json',
    'there is one JSON document on standard output, errors included.',
    '.SH COMMANDS',
    ...leaves.flatMap(commandLines),
    '.SH OPTIONS',
    ...tree.flags.flatMap(flagLines),
    '.SH ENVIRONMENT',
    ...parts.environment.flatMap(([name, meaning]) => ['.TP', `.B ${text(name)}`, text(meaning)]),
    '.SH EXIT STATUS',
    ...parts.exitCodes.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, text(meaning)]),
    '.SH SEE ALSO',
    text('docs/cli.md has samples of every command, docs/errors.md every error code.'),
  ].join('\n')}\n`
}

function commandLines(command: CommandModel): string[] {
  const heading = ['touchmark', ...command.path, ...command.arguments.map((one) => one.text)].join(' ')
  const flags = command.flags.filter(({ long }) => long !== '--help')
  return [
    `.SS ${text(heading)}`,
    text(sentence(command.description)),
    ...flags.flatMap(flagLines),
    ...(command.example === undefined
      ? []
      : ['.PP', 'Example:', '.PP', '.nf', '.RS 4', ...command.example.split('\n').map(text), '.RE', '.fi']),
  ]
}

function flagLines({ short, long, description, placeholder }: FlagModel): string[] {
  const names = short === undefined ? long : `${short}, ${long}`
  return [
    '.TP',
    `\\fB${text(names)}\\fR${placeholder === undefined ? '' : ` \\fI${text(placeholder)}\\fR`}`,
    text(description),
  ]
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? '' : '.'}`
}

/** Text that roff shows as it is: no line begins a request, and a hyphen is a minus, so that flags can be copied. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/[^\x20-\x7e]/gu, (one) => `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/^([.'])/, '\\&$1')
}
