import type { Command } from 'commander'
import { action, count, example, instanceFlags, serverFlags } from './command-parts.js'

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
  searchCommand(log)
  fsckCommand(log)
  exportCommand(log)
  recoverCommand(log)
  shardCommands(log)
}

/** Entries by what is in them. */
function searchCommand(log: Command): void {
  instanceFlags(log.command('search').description('find entries; for looking around, never for verifying a signature'))
    .option(
      '--identity <name>',
      'signed by this e-mail address, URI or other name of a certificate, in any letter case',
    )
    .option('--issuer <url>', 'vouched for by this OIDC issuer')
    .option('--digest <digest>', 'about this: sha256:HEX (also sha1, sha384, sha512), or the hexadecimal alone')
    .option(
      '--public-key <file|sha256>',
      'signed with this key: a key or certificate in PEM, or the SHA-256 of the key',
    )
    .option('--serial <hex>', 'signed with the certificate of this serial number')
    .option('--any', 'entries with one of these instead of all')
    .option('--limit <n>', 'entries at most (default: 20)', count(1, 10_000))
    .addHelpText('after', example('touchmark log search --identity dev@example.com'))
    .action(
      action(async (context, _args, options) => (await import('../commands/search.js')).logSearch(context, options)),
    )
  serverFlags(log.command('reindex').description('make the search index of the instance on this machine anew'))
    .addHelpText('after', example('touchmark log reindex --data /var/lib/touchmark'))
    .action(
      action(async (context, _args, options) => (await import('../commands/reindex.js')).logReindex(context, options)),
    )
}

/** The whole log, checked. */
function fsckCommand(log: Command): void {
  serverFlags(
    instanceFlags(
      log
        .command('fsck')
        .description('rebuild a log from its entries and compare every tile, the checkpoint and the index'),
    ),
  )
    .option('--url <url>', 'the log to read: an address with /checkpoint and /tile below it, file:…, or a folder')
    .option('--database', 'check the trees of the instance on this machine as they are stored')
    .option('--log <origin>', 'the tree of the database, or the origin that the log must have')
    .option('--public-key <file>', 'the key of the log (PEM), instead of those of the trusted root')
    .option('--trusted-root <file>', 'the trusted root to verify against, instead of an instance')
    .option('--resume <file>', 'note in this file how far the check is, and go on from it')
    .option('--connections <n>', 'files to read at once (default: 8)', count(1, 64))
    .option(
      '--threads <n>',
      'threads that hash (default: one for each core but one, from 65,536 entries on; 0: none)',
      count(0, 64),
    )
    .addHelpText('after', example('touchmark log fsck --url https://touchmark.example.com/api/v2'))
    .action(action(async (context, _args, options) => (await import('../commands/fsck.js')).logFsck(context, options)))
}

/** After a restore, a failover or a loss. */
function recoverCommand(log: Command): void {
  serverFlags(
    log
      .command('recover')
      .description('compare the trees of the instance on this machine with what the rollback guard has seen of them'),
  )
    .option('--guard <place...>', 'the guard, as `touchmark up` is told (default: guard in the data folder)')
    .option('--tree <origin>', 'the tree that is meant')
    .option('--size <n>', 'the entries that the database holds of it, as a run without flags shows them')
    .option('--accept-loss', 'freeze the tree for ever and keep what was lost; needs --tree and --size')
    .option('--replace-guard', 'put a record aside that cannot be believed; needs --tree and --size')
    .addHelpText('after', example('touchmark log recover --data /var/lib/touchmark'))
    .action(
      action(async (context, _args, options) => (await import('../commands/recover.js')).logRecover(context, options)),
    )
}

/** The log's files, copied for a web server or a CDN. */
function exportCommand(log: Command): void {
  instanceFlags(
    log
      .command('export')
      .description(
        'copy the files of a log to a folder or a bucket, for a web server or a CDN; each time only what is new',
      )
      .requiredOption('--to <place>', 'a folder or s3://BUCKET/PREFIX; empty, or an earlier export of this log'),
  )
    .option('--endpoint <url>', 'with s3:// the address of the store (default: Amazon S3 in the region)')
    .option('--region <name>', 'with s3:// the region of the bucket (default with --endpoint: us-east-1)')
    .option('--url <url>', 'the log to read, instead of the newest signature log of the instance')
    .option('--log <origin>', 'the origin that the log must have')
    .option('--public-key <file>', 'the key of the log (PEM), instead of those of the trusted root')
    .option('--trusted-root <file>', 'the trusted root to verify against, instead of an instance')
    .option('--follow', 'go on until it is stopped')
    .option('--every <seconds>', 'with --follow: how often to look (default: 5)', count(1, 86_400))
    .option('--connections <n>', 'files to copy at once (default: 8)', count(1, 64))
    .addHelpText('after', example('touchmark log export --to /srv/www/log --follow'))
    .action(
      action(async (context, _args, options) => (await import('../commands/export.js')).logExport(context, options)),
    )
}

/** What an operator does about shards, on the server. */
function shardCommands(log: Command): void {
  serverFlags(log.command('shards').description('list the trees of the instance on this machine: shards, sizes, keys'))
    .addHelpText('after', example('touchmark log shards --data /var/lib/touchmark'))
    .action(
      action(async (context, _args, options) => (await import('../commands/shards.js')).logShards(context, options)),
    )
  serverFlags(
    log
      .command('rollover')
      .description('begin a new shard, with a key and a host name of its own; servers that run follow'),
  )
    .option('--public-url <url>', 'where clients will reach the new shard: a host name that no shard has')
    .option('--v1', 'begin a tree of API v1 instead, at the address that it has; the older tree is frozen')
    .option('--prepare', 'make the shard and publish its key, but do not begin with it')
    .option('--guard <place...>', 'the guard, as `touchmark up` is told (default: guard in the data folder)')
    .addHelpText('after', example('touchmark log rollover --public-url https://log2027.example.com'))
    .action(
      action(async (context, _args, options) => (await import('../commands/shards.js')).logRollover(context, options)),
    )
  serverFlags(
    log
      .command('freeze')
      .argument('<origin>', 'the shard, as `touchmark log shards` names it')
      .description('end an older shard: it takes no more entries, for ever'),
  )
    .option('--yes', 'it cannot be undone')
    .addHelpText('after', example('touchmark log freeze log2026.example.com --yes'))
    .action(
      action(async (context, args, options) =>
        (await import('../commands/shards.js')).logFreeze(context, args[0]!, options),
      ),
    )
}
