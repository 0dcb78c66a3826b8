import { everyCommand, type CommandModel, type FlagModel, type ValueKind } from './command-tree.js'

/** Completion for fish 3. */
export function fishCompletion(tree: CommandModel): string {
  return `# fish completion for touchmark; made by \`touchmark completion fish\`
function __touchmark_words
  set -l words (commandline -opc)
  set -e words[1]
  test (count $words) -gt 0; and string match -v -- '-*' $words
end
# The words so far are these, and nothing more.
function __touchmark_in
  set -l words (__touchmark_words)
  test "$words" = "$argv"
end
# The words so far begin with these.
function __touchmark_at
  set -l words (__touchmark_words)
  set -l wanted (count $argv)
  test (count $words) -ge $wanted; and test "$words[1..$wanted]" = "$argv"
end
complete -c touchmark -f
${everyCommand(tree).flatMap(linesFor).join('\n')}
`
}

const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
const condition = (test: string, path: readonly string[]): string => `-n ${fishQuoted([test, ...path].join(' '))}`

function linesFor(command: CommandModel): string[] {
  const { path, commands, flags } = command
  // Flags of the program are for every place, those of a command for what follows it.
  const where = path.length === 0 ? '' : ` ${condition('__touchmark_at', path)}`
  const first = path.length === 0 ? condition('__touchmark_in', []) : condition('__touchmark_in', path)
  const lines = commands.map(
    ({ name, description }) => `complete -c touchmark ${first} -a ${name} -d ${fishQuoted(description)}`,
  )
  lines.push(...flags.map((flag) => `complete -c touchmark${where} ${flagWords(flag)}`))
  const operand = command.arguments[0]
  if (commands.length === 0 && operand !== undefined && operand.value !== 'other')
    lines.push(`complete -c touchmark${where} ${offer(operand.value)}`)
  return lines
}

function offer(value: ValueKind): string {
  if (value === 'file') return '-F'
  if (value === 'folder') return `-a '(__fish_complete_directories)'`
  return value === 'other' ? '' : `-a ${fishQuoted(value.choices.join(' '))}`
}

function flagWords({ short, long, description, value }: FlagModel): string {
  const names = `${short === undefined ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  const rest = value === undefined ? '' : ` -r ${offer(value)}`
  return `${names}${rest} -d ${fishQuoted(description)}`
}
