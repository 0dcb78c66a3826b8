import type { MaintenanceOptions, ShardSummary } from '@touchmark/app-standalone'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { printJson, rows } from '../output.js'

/** `touchmark log shards`: every tree of the instance, read from its database. */
export async function logShards(context: CliContext, options: MaintenanceOptions): Promise<void> {
  const { listShards } = await import('@touchmark/app-standalone')
  const shards = await listShards(options)
  if (context.json) return printJson(context, { shards: shards.map(shardJson) })
  for (const shard of shards) context.out(shardText(shard))
}

/** `touchmark log rollover`: begins a new shard; running servers follow. */
export async function logRollover(
  context: CliContext,
  options: MaintenanceOptions & { publicUrl?: string; v1?: boolean; prepare?: boolean; guard?: readonly string[] },
): Promise<void> {
  const { publicUrl, v1, ...where } = options
  if ((publicUrl === undefined) === (v1 !== true))
    throw new CliError('CLI_USAGE', 'give --public-url URL for a shard of API v2, or --v1 for a tree of API v1')
  const { rollover, rolloverV1 } = await import('@touchmark/app-standalone')
  const shard = await (publicUrl === undefined
    ? rolloverV1(where, context.clock)
    : rollover({ ...where, publicUrl }, context.clock))
  if (context.json) return printJson(context, shardJson(shard))
  context.out(shardText(shard))
  context.out(SAID[shard.state === 'prepared' ? 'prepared' : v1 === true ? 'v1' : 'v2'])
}

const SAID = {
  prepared: 'Prepared: the trusted root names its key. When clients have it, run the same command without --prepare.\n',
  v1: 'Begun: API v1 writes to it; the older tree is frozen, and what it holds is served and proven as before.\n',
  v2: 'Begun: clients that read the signing config write to it; older shards take entries until they are frozen.\n',
} as const

/** `touchmark log freeze ORIGIN`: for ever, so it wants to be told twice. */
export async function logFreeze(
  context: CliContext,
  origin: string,
  options: MaintenanceOptions & { yes?: boolean },
): Promise<void> {
  if (options.yes !== true) {
    throw new CliError('CLI_USAGE', `freezing ${origin.slice(0, 300)} cannot be undone`, {
      hint: 'Give --yes when every client writes to a newer shard.',
    })
  }
  const { freezeShard } = await import('@touchmark/app-standalone')
  const shard = await freezeShard({ ...options, origin }, context.clock)
  if (context.json) return printJson(context, shardJson(shard))
  context.out(shardText(shard))
  context.out('Frozen: it takes no more entries, and what it holds is served and proven as before.\n')
}

function shardJson({ from, until, ...shard }: ShardSummary): Record<string, unknown> {
  return { ...shard, from: from?.toISOString() ?? null, until: until?.toISOString() ?? null }
}

function shardText(shard: ShardSummary): string {
  const period = `${shard.from?.toISOString() ?? 'not yet'} to ${shard.until?.toISOString() ?? 'now'}`
  return `${rows([['origin', shard.origin]], '')}${rows([
    ['kind', shard.kind],
    ['state', shard.state],
    ['entries', String(shard.size)],
    ['url', shard.url],
    ['written', shard.from === undefined ? 'not yet' : period],
    ['key', `${shard.keyName} sha256:${shard.keySha256}`],
  ])}`
}
