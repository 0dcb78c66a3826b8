import { everyCommand, type CommandModel, type FlagModel, type ValueKind } from './command-tree.js'
import { quoted } from './quoted.js'

/** Completion for zsh: as a file `_touchmark` in `$fpath`, or for `source <(touchmark completion zsh)` after `compinit`. */
export function zshCompletion(tree: CommandModel): string {
  return `#compdef touchmark
# zsh completion for touchmark; made by \`touchmark completion zsh\`

${everyCommand(tree).map(functionFor).join('\n')}
if [ "$funcstack[1]" = "_touchmark" ]; then
  _touchmark "$@"
else
  compdef _touchmark touchmark
fi
`
}

const functionName = (path: readonly string[]): string =>
  ['_touchmark', ...path.map((word) => word.replaceAll('-', '_'))].join('_')

function functionFor(command: CommandModel): string {
  const specs = command.flags.map(flagSpec)
  if (command.commands.length === 0) {
    const operands = command.arguments.map(({ text, value, variadic }) =>
      quoted(`${variadic ? '*' : ''}:${escaped(text)}:${action(value)}`),
    )
    return `${functionName(command.path)}() {\n  _arguments -s \\\n    ${[...specs, ...operands].join(' \\\n    ')}\n}`
  }
  const names = command.commands.map(({ name, description }) => quoted(`${escaped(name)}:${description}`))
  return `${functionName(command.path)}() {
  local line state
  _arguments -C \\
    ${specs.join(' \\\n    ')} \\
    '1: :->command' '*:: :->rest'
  case "$state" in
    command)
      local -a commands
      commands=(
        ${names.join('\n        ')}
      )
      _describe command commands ;;
    rest)
      case "$line[1]" in
${command.commands.map(({ name, path }) => `        ${name}) ${functionName(path)} ;;`).join('\n')}
      esac ;;
  esac
}`
}

/** `_arguments` gives a meaning to colons and brackets. */
function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&')
}

function action(value: ValueKind): string {
  if (value === 'file') return '_files'
  if (value === 'folder') return '_files -/'
  return value === 'other' ? ' ' : `(${value.choices.join(' ')})`
}

function flagSpec({ short, long, description, placeholder, value }: FlagModel): string {
  const text = `[${escaped(description)}]`
  const rest = value === undefined ? '' : `:${escaped(placeholder ?? '')}:${action(value)}`
  const repeated = placeholder?.includes('...') === true ? '*' : ''
  if (short === undefined) return quoted(`${repeated}${long}${text}${rest}`)
  return `${quoted(`(${short} ${long})`)}{${short},${long}}${quoted(`${text}${rest}`)}`
}
