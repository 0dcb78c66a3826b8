import { Option, type Command } from 'commander'
import { action, example } from './command-parts.js'

/** The kinds of `@touchmark/keyfile`, which is loaded only when a key is made. */
export const KEY_TYPE_NAMES = ['P-256', 'P-384', 'P-521', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519'] as const

/** How the password of a key file is given. */
export function passwordFlag(command: Command): Command {
  return command.option(
    '--password-file <file>',
    'holds the password of the key, - for standard input; else TOUCHMARK_KEY_PASSWORD, COSIGN_PASSWORD, or the terminal',
  )
}

function pairFlags(command: Command): Command {
  return passwordFlag(command)
    .option('--output <prefix>', 'where the files go: PREFIX.key and PREFIX.pub', 'touchmark')
    .option('--overwrite', 'replace files that are there')
}

/** key generate, key import, key public. */
export function keyCommands(root: Command): void {
  const keys = root.command('key').description('make, import and show keys of your own')
  pairFlags(keys.command('generate').description('make a key pair; the private key is encrypted as cosign does it'))
    .addOption(
      new Option('--type <type>', 'kind of key; cosign cannot use Ed25519').choices(KEY_TYPE_NAMES).default('P-256'),
    )
    .addHelpText('after', example('touchmark key generate --output release'))
    .action(
      action(async (context, _args, options) =>
        (await import('../commands/key.js')).generateKeyCommand(context, options),
      ),
    )
  pairFlags(keys.command('import').description('encrypt a private key that another program made'))
    .requiredOption('--key <file>', 'the private key in PEM, not encrypted: PKCS#8, PKCS#1 or SEC1')
    .addHelpText('after', example('touchmark key import --key from-openssl.pem --output release'))
    .action(
      action(async (context, _args, options) =>
        (await import('../commands/key.js')).importKeyCommand(context, options),
      ),
    )
  passwordFlag(keys.command('public').description('print the public key of a key file in PEM'))
    .requiredOption('--key <file>', 'the encrypted private key')
    .addHelpText('after', example('touchmark key public --key touchmark.key > touchmark.pub'))
    .action(
      action(async (context, _args, options) =>
        (await import('../commands/key.js')).publicKeyCommand(context, options),
      ),
    )
}
