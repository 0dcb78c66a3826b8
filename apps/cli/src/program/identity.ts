import type { Command } from 'commander'
import { action, example, instanceFlags } from './command-parts.js'

/** How a command finds the identity token. */
export function tokenFlags(command: Command): Command {
  return clientFlag(command)
    .option(
      '--identity-token <token|file>',
      'an OIDC token, or a file that holds one; else SIGSTORE_ID_TOKEN, the CI system, a kept login, or a new one',
    )
    .option('--oidc-provider <name>', 'take the token of this CI system or cloud, and of nothing else')
    .option('--no-ambient', 'do not ask the CI system or cloud that this runs on')
    .option('--device', 'log in on another device instead of with a browser here')
}

function clientFlag(command: Command): Command {
  return command.option(
    '--oidc-client-id <name>',
    'OAuth client and audience of the token; else TOUCHMARK_OIDC_CLIENT_ID, else sigstore',
  )
}

/** login, logout, whoami, doctor. */
export function identityCommands(root: Command): void {
  clientFlag(instanceFlags(root.command('login').description('log in, and keep the login')))
    .option('--device', 'log in on another device instead of with a browser here')
    .addHelpText('after', example('touchmark login --instance https://touchmark.example.com'))
    .action(
      action(async (context, _args, options) => (await import('../commands/login.js')).loginCommand(context, options)),
    )
  clientFlag(instanceFlags(root.command('logout').description('forget the kept login, and end it at the provider')))
    .addHelpText('after', example('touchmark logout'))
    .action(
      action(async (context, _args, options) =>
        (await import('../commands/logout.js')).logoutCommand(context, options),
      ),
    )
  tokenFlags(
    instanceFlags(
      root.command('whoami').description('show whose token would be used, and what a certificate would say'),
    ),
  )
    .option('--login', 'log in when there is no token')
    .addHelpText('after', example('touchmark whoami --instance https://touchmark.example.com'))
    .action(
      action(async (context, _args, options) =>
        (await import('../commands/whoami.js')).whoamiCommand(context, options),
      ),
    )
  tokenFlags(instanceFlags(root.command('doctor').description('check instance, trust root, clock, log and token')))
    .addHelpText('after', example('touchmark doctor --instance https://touchmark.example.com'))
    .action(
      action(async (context, _args, options) =>
        (await import('../commands/doctor.js')).doctorCommand(context, options),
      ),
    )
}
