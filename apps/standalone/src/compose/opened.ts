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
