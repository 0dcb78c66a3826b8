import type { Command } from 'commander'
import { action, example, port } from './command-parts.js'

/** up. */
export function serving(root: Command): void {
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
    .option('--workers <n|auto>', 'processes that serve; auto is one a core (default: 1)')
    .option(
      '--guard <place...>',
      'where the newest checkpoints are kept besides the database: a folder (default: guard in the data folder), https:// addresses, or both',
    )
    .option('--guard-optional', 'start although an address of --guard does not answer')
    .option('--log-level <level>', 'silent, error, warn, info or debug (default: warn)')
    .addHelpText(
      'after',
      example('touchmark up --port 8360 --data /var/lib/touchmark --public-url https://touchmark.example.com'),
    )
    .action(action(async (_context, _args, options) => (await import('../commands/up.js')).upCommand(options)))
}
