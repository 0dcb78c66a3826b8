import type { Command } from 'commander'
import { action, example, instanceFlags } from './command-parts.js'
import { tokenFlags } from './identity.js'
import { passwordFlag } from './keys.js'

function signFlags(command: Command): Command {
  return passwordFlag(tokenFlags(instanceFlags(command)))
    .option('--key <file>', 'sign with this key file instead of a login')
    .option('--bundle <file>', 'where the bundle goes (with one file)')
    .option('--overwrite', 'replace a bundle that is there')
    .option('--resume', 'leave the files alone that have a good bundle by the same identity')
}

/** sign, attest, token. */
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
      .argument('[file...]', 'files the statement is about, or sha256:<hex>')
      .description('sign an in-toto statement about files'),
  )
    .option('--predicate <file>', 'the predicate, a JSON object')
    .option('--type <type>', 'its type: a short name such as slsaprovenance1, vuln or custom, or a URI')
    .option('--sbom <file>', 'an SBOM as predicate; its type is told by what is in it')
    .option('--statement <file>', 'a whole statement, signed as it is')
    .option('--name <name>', 'what the one file or digest is called in the statement')
    .option('--no-schema', 'do not hold the predicate against the schema of its type')
    .addHelpText('after', example('touchmark attest app.tar.gz --predicate provenance.json --type slsaprovenance1'))
    .action(
      action(async (context, files, options) =>
        (await import('../commands/attest.js')).attestCommand(context, files, options),
      ),
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
