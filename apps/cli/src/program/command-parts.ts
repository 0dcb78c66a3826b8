import { InvalidArgumentError, type Command } from 'commander'
import { createContext, type CliContext } from '../context.js'
import { exitCodeOf } from '../exit-codes.js'
import { printError } from '../output.js'

/** A port: 0 lets the system choose. */
export const port = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError('It must be a number from 0 to 65535.')
  return Number(text)
}

/** A whole number in a range. */
export const count =
  (least: number, most: number) =>
  (text: string): number => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least || Number(text) > most)
      throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`)
    return Number(text)
  }

const HELP_COLUMNS = 80

/** A text in lines of at most so many columns, as far as its words allow. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns) lines.push(`${lines.pop()!} ${word}`)
    else lines.push(word)
  }
  return lines
}

/** The example that every command's help ends with; a long one goes on in the next line as a shell takes it. */
export const example = (text: string): string =>
  `\nExample:\n  ${wrapped(text, HELP_COLUMNS - 8).join(' \\\n      ')}\n`

/** A list of names and meanings below the help. */
export const helpList = (title: string, list: readonly (readonly [string | number, string])[]): string =>
  `\n${title}:\n${list
    .map(([name, text]) => `  ${name}  ${wrapped(text, HELP_COLUMNS - 8).join('\n      ')}\n`)
    .join('')}`

/** Runs an action with the outside world in hand; every error ends as one message and one exit code. */
export function action(work: (context: CliContext, args: string[], options: never) => Promise<void>) {
  return async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command
    const options = command.optsWithGlobals<{ json?: boolean }>()
    const context = createContext(options)
    try {
      await work(context, command.args, options as never)
    } catch (error) {
      printError(context, error)
      process.exitCode = exitCodeOf(error)
    }
  }
}

/** How a command finds the instance it speaks to. */
export function instanceFlags(command: Command): Command {
  return command
    .option('--instance <url>', 'the Touchmark instance; else TOUCHMARK_INSTANCE, else what `trust use` chose')
    .option('--root-fingerprint <sha256>', 'refuse an instance whose trust root has another fingerprint')
}

/** How a command of the operator finds the instance on this machine: as `touchmark up` does. */
export function serverFlags(command: Command): Command {
  return command
    .option('--data <dir>', 'folder for keys and the embedded database (default: .touchmark)')
    .option('--database-url <url>', 'the PostgreSQL of the instance, if it is not the embedded one; else DATABASE_URL')
    .option('--passphrase-file <file>', 'holds the passphrase of the keys; else TOUCHMARK_PASSPHRASE')
}
