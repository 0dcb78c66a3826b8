/** Where time comes from. Everything that reads time is handed a Clock; tests move one by hand. */
export interface Clock {
  now(): Date
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #millis: number

  constructor(start: Date | string) {
    this.#millis = new Date(start).getTime()
  }

  now(): Date {
    return new Date(this.#millis)
  }

  advance(ms: number): void {
    this.#millis += ms
  }

  set(time: Date | string): void {
    this.#millis = new Date(time).getTime()
  }
}
