import type { Command } from 'commander'
import { action, example, instanceFlags } from './command-parts.js'

function signFlags(command: Command): Command {
  return instanceFlags(command)
    .option(
      '--identity-token <token|file>',
      'an OIDC token, or a file that holds one; else SIGSTORE_ID_TOKEN, a kept login, or a new one',
    )
    .option('--device', 'log in on another device instead of with a browser here')
    .option('--bundle <file>', 'where the bundle goes (with one file)')
    .option('--overwrite', 'replace a bundle that is there')
    .option('--resume', 'leave the files alone that have a good bundle by the same identity')
}

/** sign, attest, login, token. */
export function signing(root: Command): void {
  signFlags(root.command('sign').argument('<file...>', 'files to sign').description('sign files: a bundle beside each'))
    .addHelpText('after', example('touchmark sign app.tar.gz --instance https://touchmark.example.com'))
    .action(
      action(async (context, files, options) =>
        (await import('../commands/sign.js')).signCommand(context, files, options),
      ),
    )
  signFlags(
    root
      .command('attest')
      .argument('<file...>', 'files the statement is about')
      .description('sign an in-toto statement about files'),
  )
    .requiredOption('--predicate <file>', 'the predicate, a JSON object')
    .requiredOption(
      '--type <type>',
      'its type: slsaprovenance1, slsaprovenance, spdxjson, cyclonedx, vuln, openvex, link, custom, or a URI',
    )
    .addHelpText('after', example('touchmark attest app.tar.gz --predicate provenance.json --type slsaprovenance1'))
    .action(
      action(async (context, files, options) =>
        (await import('../commands/attest.js')).attestCommand(context, files, options),
      ),
    )
  instanceFlags(root.command('login').description('log in, and keep the token until it expires'))
    .option('--device', 'log in on another device instead of with a browser here')
    .addHelpText('after', example('touchmark login --instance https://touchmark.example.com'))
    .action(
      action(async (context, _args, options) => (await import('../commands/login.js')).loginCommand(context, options)),
    )
  instanceFlags(
    root.command('token').description('print a token of the demonstration issuer; no other issuer is asked'),
  )
    .requiredOption('--email <address>', 'who to be')
    .option('--name <name>', 'the name to give')
    .addHelpText('after', example('touchmark token --email a@example.com --instance http://localhost:8360'))
    .action(
      action(async (context, _args, options) => (await import('../commands/login.js')).tokenCommand(context, options)),
    )
}
