import { Command, CommanderError, InvalidArgumentError } from 'commander'
import type { CliContext } from './context.js'
import { EXIT_TEXT, exitCodeOf, EXIT } from './exit-codes.js'

const port = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError('It must be a number from 0 to 65535.')
  return Number(text)
}

const example = (text: string): string => `\nExample:\n  ${text}\n`

/** Runs an action with the outside world in hand; every error ends as one message and one exit code. */
function action(work: (context: CliContext, args: string[], options: never) => Promise<void>) {
  return async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command
    const options = command.optsWithGlobals<{ json?: boolean }>()
    const [{ createContext }, { printError }] = await Promise.all([import('./context.js'), import('./output.js')])
    const context = createContext(options)
    try {
      await work(context, command.args, options as never)
    } catch (error) {
      printError(context, error)
      process.exitCode = exitCodeOf(error)
    }
  }
}

function instanceFlags(command: Command): Command {
  return command
    .option('--instance <url>', 'the Touchmark instance; else TOUCHMARK_INSTANCE, else what `trust use` chose')
    .option('--root-fingerprint <sha256>', 'refuse an instance whose trust root has another fingerprint')
}

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

function verifyFlags(command: Command): Command {
  return instanceFlags(command)
    .option('--certificate-identity <name>', 'who must have signed: e-mail address or URI')
    .option('--certificate-identity-regexp <pattern>', 'the same as a pattern that must match the whole name')
    .option('--certificate-oidc-issuer <url>', 'who must have vouched for the signer')
    .option('--trusted-root <file>', 'the trusted root to verify against, instead of an instance')
    .option('--bundle <file>', 'the bundle (with one file)')
}

/** The whole command line; docs/cli.md describes all of it. */
export function program(): Command {
  const root = new Command('touchmark')
    .description('Keyless signing with your own Touchmark instance.')
    .option('--json', 'print one JSON document instead of text')
    .version('0.1.0')
    .addHelpText('after', `\nExit codes:\n${EXIT_TEXT.map(([code, text]) => `  ${code}  ${text}`).join('\n')}\n`)
  signing(root)
  verifying(root)
  reading(root)
  serving(root)
  return root
}

function signing(root: Command): void {
  signFlags(root.command('sign').argument('<file...>', 'files to sign').description('sign files: a bundle beside each'))
    .addHelpText('after', example('touchmark sign app.tar.gz --instance https://touchmark.example.com'))
    .action(
      action(async (context, files, options) =>
        (await import('./commands/sign.js')).signCommand(context, files, options),
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
        (await import('./commands/sign.js')).attestCommand(context, files, options),
      ),
    )
  instanceFlags(root.command('login').description('log in, and keep the token until it expires'))
    .option('--device', 'log in on another device instead of with a browser here')
    .addHelpText('after', example('touchmark login --instance https://touchmark.example.com'))
    .action(
      action(async (context, _args, options) => (await import('./commands/login.js')).loginCommand(context, options)),
    )
  instanceFlags(
    root.command('token').description('print a token of the demonstration issuer; no other issuer is asked'),
  )
    .requiredOption('--email <address>', 'who to be')
    .option('--name <name>', 'the name to give')
    .addHelpText('after', example('touchmark token --email a@example.com --instance http://localhost:8360'))
    .action(
      action(async (context, _args, options) => (await import('./commands/login.js')).tokenCommand(context, options)),
    )
}

function verifying(root: Command): void {
  verifyFlags(
    root
      .command('verify')
      .argument('<file...>', 'files to verify, or sha256:<hex>')
      .description('verify files against their bundles; offline'),
  )
    .addHelpText(
      'after',
      example(
        'touchmark verify app.tar.gz --certificate-identity dev@example.com --certificate-oidc-issuer https://login.example.com',
      ),
    )
    .action(
      action(async (context, files, options) =>
        (await import('./commands/verify.js')).verifyCommand(context, files, options),
      ),
    )
  verifyFlags(
    root
      .command('verify-attestation')
      .argument('<file...>', 'files the statement is about')
      .description('verify in-toto statements about files; offline'),
  )
    .option('--type <type>', 'the predicate type that the statement must have')
    .addHelpText(
      'after',
      example(
        'touchmark verify-attestation app.tar.gz --type slsaprovenance1 --certificate-identity … --certificate-oidc-issuer …',
      ),
    )
    .action(
      action(async (context, files, options) =>
        (await import('./commands/verify.js')).verifyAttestationCommand(context, files, options),
      ),
    )
}

function reading(root: Command): void {
  const log = root.command('log').description('read the signature log; everything shown is proven first')
  instanceFlags(log.command('show').argument('<index>', 'index of an entry').description('show an entry'))
    .addHelpText('after', example('touchmark log show 42'))
    .action(
      action(async (context, args, options) => (await import('./commands/log.js')).logShow(context, args[0]!, options)),
    )
  instanceFlags(
    log.command('prove').argument('[index]', 'index of an entry').description('prove that an entry is in the log now'),
  )
    .option('--bundle <file>', 'take the entry of this bundle')
    .addHelpText('after', example('touchmark log prove --bundle app.tar.gz.sigstore.json'))
    .action(
      action(async (context, args, options) => (await import('./commands/log.js')).logProve(context, args[0], options)),
    )
  const trust = root.command('trust').description('whom this machine trusts')
  instanceFlags(trust.command('show').description('show the trusted root'))
    .option('--raw', 'print trusted_root.json, as other clients take it')
    .addHelpText('after', example('touchmark trust show --raw > trusted_root.json'))
    .action(
      action(async (context, _args, options) => (await import('./commands/trust.js')).trustShow(context, options)),
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
        (await import('./commands/trust.js')).trustUse(context, args[0]!, options),
      ),
    )
}

function serving(root: Command): void {
  root
    .command('up')
    .description('run the whole stack: CA, log, certificate log, timestamps, trust root')
    .option('--port <n>', 'port to serve on (default: that of the public URL, or 8360 at a first start)', port)
    .option('--data <dir>', 'folder for keys and the embedded database (default: .touchmark)')
    .option('--public-url <url>', 'the URL that clients use; fixed at the first start (default: http://localhost:PORT)')
    .option('--listen <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--issuers <file>', "token issuers, in Fulcio's configuration format (YAML or JSON)")
    .option(
      '--demo-issuer <auto|on|off>',
      'the demonstration issuer: auto is off beside an issuer that is not on this machine',
    )
    .option(
      '--database-url <url>',
      'a PostgreSQL 13 or later instead of the embedded one; else DATABASE_URL (keep a password out of it: TOUCHMARK_DATABASE_PASSWORD_FILE)',
    )
    .option('--passphrase-file <file>', 'holds the passphrase of the keys; else TOUCHMARK_PASSPHRASE')
    .option('--metrics-port <n>', 'port for Prometheus metrics (default: a free one)', port)
    .option('--metrics-listen <address>', 'address for metrics (default: 127.0.0.1)')
    .option('--log-level <level>', 'silent, error, warn, info or debug (default: warn)')
    .addHelpText(
      'after',
      example('touchmark up --port 8360 --data /var/lib/touchmark --public-url https://touchmark.example.com'),
    )
    .action(action(async (_context, _args, options) => (await import('./commands/up.js')).upCommand(options)))
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
