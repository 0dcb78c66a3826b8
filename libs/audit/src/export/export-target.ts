/** Says whose files these are, before the first checkpoint does. */
export const MARKER = '.touchmark-export'

export const CHECKPOINT = 'checkpoint'

/** Where a log is exported to. */
export interface ExportTarget {
  readonly name: string
  read(path: string): Promise<Uint8Array | undefined>
  has(path: string): Promise<boolean>
  /** MUST be durable, and whole or not there at all, when it resolves. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /**
   * Puts a checkpoint in the place of the one that was read before; undefined: of none. MUST throw AUDIT_EXPORT_REFUSED when another one is there by now,
   * since that may be newer. MUST be durable when it resolves.
   */
  replaceCheckpoint(note: Uint8Array, before: Uint8Array | undefined): Promise<void>
  /** True when there is nothing at all yet. */
  isEmpty(): Promise<boolean>
  /** Removes the partial files of a tile that is full now. */
  removePartials(path: string): Promise<void>
}
