import { IssuanceError } from './errors.js'

declare const STEP: unique symbol

/** What one step hands to the next: opaque, made by that step alone, good for one use. */
export interface Ticket<Step extends string> {
  /** Never there at run time; keeps the tickets of different steps apart for the compiler. */
  readonly [STEP]?: Step
  /** Serial number of the certificate to be, for the audit log. */
  readonly serialHex: string
}

/**
 * Keeps what a step knows out of its ticket. A ticket that was not given here, or was taken before, is refused with
 * CA_STEP_REPEATED: what the compiler cannot see is caught at run time.
 */
export class SingleUse<Step extends string, State> {
  readonly #states = new WeakMap<Ticket<Step>, State>()

  give(serialHex: string, state: State): Ticket<Step> {
    const ticket: Ticket<Step> = Object.freeze({ serialHex })
    this.#states.set(ticket, state)
    return ticket
  }

  take(ticket: Ticket<Step>): State {
    const state = this.#states.get(ticket)
    if (state === undefined)
      throw new IssuanceError('CA_STEP_REPEATED', 'this step of an issuance was not prepared, or is over')
    this.#states.delete(ticket)
    return state
  }
}
