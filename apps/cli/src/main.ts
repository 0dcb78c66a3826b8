import { Command, CommanderError } from 'commander'
import { EXIT, EXIT_TEXT } from './exit-codes.js'
import { identityCommands } from './program/identity.js'
import { keyCommands } from './program/keys.js'
import { logCommands } from './program/log.js'
import { sbomCommands } from './program/sbom.js'
import { serving } from './program/serving.js'
import { shellCommands } from './program/shell.js'
import { signing } from './program/signing.js'
import { trustCommands } from './program/trust.js'
import { verifying } from './program/verifying.js'

/** The whole command line; docs/cli.md describes all of it. */
export function program(): Command {
  const root = new Command('touchmark')
    .description('Keyless signing with your own Touchmark instance.')
    .option('--json', 'print one JSON document instead of text')
    .version('0.1.0')
    .addHelpText('after', `\nExit codes:\n${EXIT_TEXT.map(([code, text]) => `  ${code}  ${text}`).join('\n')}\n`)
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
 * Runs one command line; resolves when it is done, with `process.exitCode` set. A reader that went away, or a full disk behind standard output,
 * ends the process at once and not with 0: whoever counts on the output did not get it.
 */
export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(EXIT.unexpected))
  const root = program()
  const exitOverride = (command: Command): void => {
    command.exitOverride()
    command.commands.forEach(exitOverride)
  }
  exitOverride(root)
  try {
    await root.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
}
