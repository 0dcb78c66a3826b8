/** A head as a guard keeps it. Whoever reads one MUST verify the note before it believes the size: anybody may have written the place it comes from. */
export interface GuardedHead {
  readonly size: bigint
  /** The signed checkpoint. */
  readonly note: string
}

/** A tree that lost entries and was given up by its operator: it is read only, for ever. */
export interface GivenUpTree {
  readonly origin: string
  /** The newest checkpoint that the database still had; empty when it did not have the tree at all. */
  readonly kept: string
  /** The checkpoints that were signed beyond it. */
  readonly lost: readonly string[]
  /** When it was given up (RFC 3339). */
  readonly at: string
}

/**
 * The rollback guard (invariant 7): keeps the newest checkpoint of each tree outside of the database, so that a database that went back in
 * time is recognised. It knows nothing that was not committed. See docs/adr/0009-rollback-guard.md.
 */
export interface HeadGuard {
  /**
   * What was noted of this tree, unverified: one head for each place that has one, the newest of that place. Empty when nothing was ever noted.
   * Throws LEDGER_GUARD_DAMAGED when a record is there and cannot be read, LEDGER_GUARD_UNAVAILABLE when the place does not answer.
   */
  newest(origin: string): Promise<readonly GuardedHead[]>
  /**
   * Takes note of a head that was committed, before anybody is told of it. MUST NOT throw: what cannot be noted shows in {@link problem}.
   * A head that is not larger than the one noted before is left alone.
   */
  note(origin: string, head: GuardedHead): void
  /** A head larger than `size` that another process has noted, unverified, where that can be told at once. Called under the tree's lock. */
  ahead(origin: string, size: bigint): GuardedHead | undefined
  /**
   * The trees of which something is kept here, as far as that can be listed: an address cannot be asked for what it was not told, and says none. Unverified, like
   * everything a guard says; a record that is damaged names no tree. Throws LEDGER_GUARD_UNAVAILABLE.
   */
  origins(): Promise<readonly string[]>
  /** Whether the tree was given up. Throws what {@link newest} throws. */
  givenUp(origin: string): Promise<GivenUpTree | undefined>
  /** Keeps the record of a tree that is given up for ever, durably, and then puts what was noted of it away. May be repeated. */
  giveUp(tree: GivenUpTree): Promise<void>
  /** Puts away, unread and undeleted, whatever is noted of a tree, and notes this head. For records that cannot be believed. */
  replace(origin: string, head: GuardedHead): Promise<void>
  /** Why the record of a tree may not be changed by a command now: a process that runs is keeping it. */
  inUse(origin: string): string | undefined
  /** Why heads are not being kept at this moment, in words that may be shown to anybody. */
  problem(): string | undefined
  /** Makes what was noted durable. */
  close(): Promise<void>
}
