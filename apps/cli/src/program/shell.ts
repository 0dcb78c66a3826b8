import { Argument, type Command } from 'commander'
import type { Shell } from '../commands/shell.js'
import { action, example } from './command-parts.js'

/** completion, man: both are made from the commands themselves. */
export function shellCommands(root: Command): void {
  root
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .description('print what makes a shell complete commands, flags and files')
    .addHelpText('after', example('source <(touchmark completion bash)'))
    .action(
      action(async (context, args) =>
        (await import('../commands/shell.js')).completionCommand(context, root, args[0] as Shell),
      ),
    )
  root
    .command('man')
    .description('print the manual page, in roff')
    .addHelpText('after', example('touchmark man | man -l -'))
    .action(action(async (context) => (await import('../commands/shell.js')).manCommand(context, root)))
}
