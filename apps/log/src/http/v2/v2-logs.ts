import type { Log } from '@touchmark/ledger'

/** The shards of the signature log of API v2: each has a host name of its own (log-v2.md §10). Which there are may change while requests run. */
export interface V2Logs {
  /** The shard that a request with this Host header is for; a host that no shard has gets the one that is written to. */
  forHost(host: string | undefined): Log
  /** Oldest first. */
  all(): readonly Log[]
}

/** A log that has one shard, whatever it is called. */
export function oneLog(log: Log): V2Logs {
  return { forHost: () => log, all: () => [log] }
}
