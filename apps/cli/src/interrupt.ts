const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

/** The process, as far as its end is concerned; tests hand in another. */
export interface Interruptible {
  on(signal: Signal, listener: (signal: Signal) => void): unknown
  off(signal: Signal, listener: (signal: Signal) => void): unknown
  /** Ends the process by a signal, so that a shell sees what ended it. */
  end(signal: Signal): void
}

const thisProcess: Interruptible = {
  on: (signal, listener) => process.on(signal, listener),
  off: (signal, listener) => process.off(signal, listener),
  end: (signal) => process.kill(process.pid, signal),
}

/** Short pieces of work that Ctrl-C does not cut in half. */
export class Interrupts {
  readonly #process: Interruptible
  readonly #underWay = new Set<Promise<unknown>>()
  #ending = false

  constructor(interruptible: Interruptible = thisProcess) {
    this.#process = interruptible
  }

  /** Runs a piece of work to its end, whatever signal comes. Once the process is ending nothing is begun any more. */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ending) return new Promise(() => undefined)
    const running = work()
    this.#underWay.add(running)
    try {
      return await running
    } finally {
      this.#underWay.delete(running)
    }
  }

  /**
   * From now on a signal first waits for what is under way, then says where things stand, and then ends the process as it would have.
   * A second signal ends it at once. Returns what takes this back.
   */
  handle(say: () => void): () => void {
    const onSignal = (signal: Signal): void => {
      this.#ending = true
      stop()
      void Promise.allSettled(this.#underWay).then(() => {
        say()
        this.#process.end(signal)
      })
    }
    const stop = (): void => SIGNALS.forEach((signal) => void this.#process.off(signal, onSignal))
    SIGNALS.forEach((signal) => void this.#process.on(signal, onSignal))
    return stop
  }
}

/** Those of this process. */
export const interrupts = new Interrupts()
