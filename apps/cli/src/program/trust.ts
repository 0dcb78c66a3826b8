import type { Command } from 'commander'
import { action, example, instanceFlags } from './command-parts.js'

/** trust show, trust use. */
export function trustCommands(root: Command): void {
  const trust = root.command('trust').description('whom this machine trusts')
  instanceFlags(trust.command('show').description('show the trusted root'))
    .option('--raw', 'print trusted_root.json, as other clients take it')
    .addHelpText('after', example('touchmark trust show --raw > trusted_root.json'))
    .action(
      action(async (context, _args, options) => (await import('../commands/trust.js')).trustShow(context, options)),
    )
  trust
    .command('use')
    .argument('<url>', 'the instance')
    .description('trust an instance and use it from now on')
    .option('--root-fingerprint <sha256>', 'refuse another root than this')
    .option('--replace <sha256>', 'accept this new root in place of the one that was trusted')
    .addHelpText('after', example('touchmark trust use https://touchmark.example.com'))
    .action(
      action(async (context, args, options) =>
        (await import('../commands/trust.js')).trustUse(context, args[0]!, options),
      ),
    )
}
