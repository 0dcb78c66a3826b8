import { Command, CommanderError } from 'commander'
import { createContext } from './context.js'
import { EXIT, EXIT_TEXT } from './exit-codes.js'
import { printError } from './output.js'
import { helpList } from './program/command-parts.js'
import { identityCommands } from './program/identity.js'
import { keyCommands } from './program/keys.js'
import { logCommands } from './program/log.js'
import { sbomCommands } from './program/sbom.js'
import { serving } from './program/serving.js'
import { shellCommands } from './program/shell.js'
import { signing } from './program/signing.js'
import { trustCommands } from './program/trust.js'
import { usageError, wantsJson } from './program/usage-error.js'
import { verifying } from './program/verifying.js'

/** The whole command line; docs/cli.md describes all of it. */
export function program(): Command {
  const root = new Command('touchmark')
    .description('Keyless signing with your own Touchmark instance.')
    // Also beside the longest flag: else such a help is not wrapped at all.
    .configureHelp({ minWidthToWrap: 20 })
    .option('--json', 'print one JSON document instead of text')
    .version('0.1.0')
    .addHelpText('after', helpList('Exit codes', EXIT_TEXT))
  signing(root)
  identityCommands(root)
  keyCommands(root)
  verifying(root)
  sbomCommands(root)
  logCommands(root)
  trustCommands(root)
  serving(root)
  shellCommands(root)
  return root
}

/**
 * Runs one command line; resolves when it is done, with `process.exitCode` set. A command line that cannot be read ends as every other error does:
 * with code and advice, or as one JSON document where `--json` is in it. A reader that went away, or a full disk behind standard output,
 * ends the process at once and not with 0: whoever counts on the output did not get it.
 */
export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(EXIT.unexpected))
  const root = program()
  let said = ''
  const prepare = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: (text) => void (said += text) })
    command.commands.forEach(prepare)
  }
  prepare(root)
  try {
    await root.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (error.exitCode === 0) return
    const json = wantsJson(argv)
    // A command of which only the name of the group was given: the help says which there are.
    if (error.code === 'commander.help' && !json) return void process.stderr.write(said)
    printError(createContext({ json }), usageError(root, argv, error))
  }
}
