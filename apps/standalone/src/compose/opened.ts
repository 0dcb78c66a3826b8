import type { Logger } from '@touchmark/service'

/** What was opened so far, closed in reverse order when a later step fails or at the end. */
export class Opened {
  readonly #close: (() => Promise<void> | void)[] = []

  add(close: () => Promise<void> | void): void {
    this.#close.push(close)
  }

  /** One that cannot be closed does not keep the others open; its error comes out at the end. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#close.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/** Starts something of several parts: all of them, or an error and nothing left open. */
export async function startWhole<T>(logger: Logger, start: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = new Opened()
  try {
    return await start(opened)
  } catch (error) {
    // What could not start is the news, not what could not be closed after it.
    await opened.close().catch((failure: unknown) => logger.error({ err: failure }, 'closing failed'))
    throw error
  }
}
