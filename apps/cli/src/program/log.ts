import type { Command } from 'commander'
import { action, example, instanceFlags } from './command-parts.js'

/** log …: what is read through the instance, and what is done on its server. */
export function logCommands(root: Command): void {
  const log = root.command('log').description('read the signature log; everything shown is proven first')
  instanceFlags(log.command('show').argument('<index>', 'index of an entry').description('show an entry'))
    .addHelpText('after', example('touchmark log show 42'))
    .action(
      action(async (context, args, options) =>
        (await import('../commands/log.js')).logShow(context, args[0]!, options),
      ),
    )
  instanceFlags(
    log.command('prove').argument('[index]', 'index of an entry').description('prove that an entry is in the log now'),
  )
    .option('--bundle <file>', 'take the entry of this bundle')
    .addHelpText('after', example('touchmark log prove --bundle app.tar.gz.sigstore.json'))
    .action(
      action(async (context, args, options) =>
        (await import('../commands/log.js')).logProve(context, args[0], options),
      ),
    )
}
