import type { EventEmitter } from 'node:events'
import type { Argument, Command, Option } from 'commander'

/** What a shell can offer in the place of a value. */
export type ValueKind = 'file' | 'folder' | 'other' | { readonly choices: readonly string[] }

export interface FlagModel {
  /** With its dashes; undefined for flags that have none. */
  readonly short: string | undefined
  readonly long: string
  readonly description: string
  /** As the help shows it: `<file>`; undefined for a flag without a value. */
  readonly placeholder: string | undefined
  readonly value: ValueKind | undefined
}

export interface ArgumentModel {
  readonly text: string
  readonly value: ValueKind
  readonly variadic: boolean
}

/** One command or group of commands, as completion and manual page need it. */
export interface CommandModel {
  /** Empty for the program itself. */
  readonly path: readonly string[]
  readonly name: string
  readonly description: string
  readonly flags: readonly FlagModel[]
  readonly arguments: readonly ArgumentModel[]
  readonly commands: readonly CommandModel[]
  /** From its help. */
  readonly example: string | undefined
}

const HELP: FlagModel = {
  short: '-h',
  long: '--help',
  description: 'show help',
  placeholder: undefined,
  value: undefined,
}

/** Reads the program that commander holds: the one source of help, completion and manual page. */
export function commandTree(command: Command, path: readonly string[] = []): CommandModel {
  return {
    path,
    name: command.name(),
    description: command.description(),
    flags: [...command.options.map(flagOf), HELP],
    arguments: command.registeredArguments.map(argumentOf),
    commands: command.commands.map((one) => commandTree(one, [...path, one.name()])),
    example: exampleOf(command),
  }
}

/** The tree's commands from top to bottom, groups included. */
export function everyCommand(tree: CommandModel): CommandModel[] {
  return [tree, ...tree.commands.flatMap(everyCommand)]
}

function flagOf(option: Option): FlagModel {
  const placeholder = /[<[].*$/.exec(option.flags)?.[0]
  return {
    short: option.short,
    long: option.long ?? option.flags,
    description: option.description,
    placeholder,
    value: placeholder === undefined ? undefined : valueKind(placeholder, option.argChoices),
  }
}

function argumentOf(argument: Argument): ArgumentModel {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return {
    text: argument.required ? `<${name}>` : `[${name}]`,
    value: valueKind(name, argument.argChoices),
    variadic: argument.variadic,
  }
}

/** `<file>`, `<token|file>` and `<place...>` are paths, `<auto|on|off>` is a choice; words that stand for any text are neither. */
function valueKind(placeholder: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined) return { choices }
  const words = placeholder.replace(/[<>[\]]|\.\.\./g, '').split('|')
  if (words.some((word) => word === 'file' || word === 'place' || word === 'prefix')) return 'file'
  if (words.includes('dir')) return 'folder'
  const fixed = words.filter((word) => word !== 'n')
  return words.length > 1 && fixed.length > 0 ? { choices: fixed } : 'other'
}

/** The example that every command's help ends with. */
function exampleOf(command: Command): string | undefined {
  let text = ''
  const context = { error: false, command, write: (more: string) => void (text += more) }
  // Commander keeps the texts of addHelpText as listeners, and its commands are emitters without saying so in their type.
  ;(command as unknown as EventEmitter).emit('afterHelp', context)
  return /\nExamples?:\n((?: {2}.*\n)+)/.exec(text)?.[1]?.replace(/^ {2}/gm, '').trimEnd()
}
