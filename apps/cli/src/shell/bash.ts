import { everyCommand, type CommandModel, type FlagModel, type ValueKind } from './command-tree.js'
import { quoted } from './quoted.js'

/** Completion for bash 3.2 and later. */
export function bashCompletion(tree: CommandModel): string {
  const commands = everyCommand(tree)
  const groups = commands
    .filter((command) => command.commands.length > 0)
    .map(place)
    .join('|')
  const deeper = commands.filter(({ path }) => path.length > 0)
  const withValue = new Set(
    commands.flatMap(({ flags }) => flags.filter(({ value }) => value !== undefined).map(({ long }) => long)),
  )
  return `# bash completion for touchmark; made by \`touchmark completion bash\`
_touchmark() {
  local current previous word at i
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  at=""
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${COMP_WORDS[i-1]}" in
      ${[...withValue].sort().join('|')}) continue ;;
    esac
    case "$at/$word" in
${deeper.map(({ path }) => `      ${quoted(`/${path.join('/')}`)}) at="$at/$word" ;;`).join('\n')}
      */-*) ;;
      *) case "$at" in ${groups}) at=unknown ;; esac ;;
    esac
  done
  case "$at $previous" in
${commands.flatMap((command) => command.flags.flatMap((flag) => valueCase(command, flag))).join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    case "$at" in
${commands.map((command) => `      ${place(command)}) _touchmark_words ${quoted(flagWords(command))} ;;`).join('\n')}
    esac
    return
  fi
  case "$at" in
${commands.flatMap(argumentCase).join('\n')}
  esac
}
_touchmark_words() {
  local one
  while IFS= read -r one; do COMPREPLY+=("$one"); done < <(compgen -W "$1" -- "$current")
}
_touchmark_paths() {
  local one
  compopt -o filenames 2>/dev/null
  while IFS= read -r one; do COMPREPLY+=("$one"); done < <(compgen "$1" -- "$current")
}
complete -F _touchmark touchmark
`
}

const place = ({ path }: CommandModel): string => quoted(path.map((word) => `/${word}`).join(''))

function flagWords({ flags }: CommandModel): string {
  return flags.flatMap(({ short, long }) => (short === undefined ? [long] : [short, long])).join(' ')
}

function offer(value: ValueKind): string {
  if (value === 'file') return '_touchmark_paths -f'
  if (value === 'folder') return '_touchmark_paths -d'
  return value === 'other' ? ':' : `_touchmark_words ${quoted(value.choices.join(' '))}`
}

function valueCase(command: CommandModel, { long, value }: FlagModel): string[] {
  if (value === undefined) return []
  const at = command.path.map((word) => `/${word}`).join('')
  return [`    ${quoted(`${at} ${long}`)}) ${offer(value)}; return ;;`]
}

function argumentCase(command: CommandModel): string[] {
  if (command.commands.length > 0) {
    const names = command.commands.map(({ name }) => name).join(' ')
    return [`    ${place(command)}) _touchmark_words ${quoted(names)} ;;`]
  }
  const first = command.arguments[0]
  return first === undefined ? [] : [`    ${place(command)}) ${offer(first.value)} ;;`]
}
