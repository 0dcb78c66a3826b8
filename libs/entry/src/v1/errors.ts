import { EntryError } from '../errors.js'

/** Throws ENTRY_V1_INVALID: what the request says does not hold. The text is the reference's (log-v1.md §11) and may be sent. */
export function invalid(why: string, cause?: unknown): never {
  throw new EntryError('ENTRY_V1_INVALID', why, cause === undefined ? {} : { cause })
}

/** The schema's refusals, one a line, as the reference joins them. */
export function invalidMembers(...lines: readonly string[]): never {
  return invalid(['validation failure list:', ...lines].join('\n'))
}

/** A request of the wrong shape: status 422 and a number of its own (log-v1.md §11). */
export class ShapeError extends EntryError {
  /** 601 type, 602 missing, 603 too long, 605 pattern, 606 enum, 609 minimum, 611 too many items, 612 too few; 422 for the rest. */
  readonly number: number
  /** The reference says it in the handler and not before: such an answer ends with a newline. */
  readonly byHandler: boolean

  constructor(number: number, message: string, options: { readonly byHandler?: boolean } = {}) {
    super('ENTRY_V1_SHAPE', message)
    this.number = number
    this.byHandler = options.byHandler ?? false
  }
}
