import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'

/** The terminal that a person types at, as far as asking for a password needs it. */
export interface Terminal {
  readonly input: AsyncIterable<Uint8Array> & {
    setRawMode?(raw: boolean): unknown
    on(event: 'data', listener: (bytes: Uint8Array) => void): unknown
    on(event: 'end', listener: () => void): unknown
    off(event: 'data', listener: (bytes: Uint8Array) => void): unknown
    off(event: 'end', listener: () => void): unknown
    resume(): unknown
    pause(): unknown
  }
  /** A person sees what is asked, and can answer unseen. */
  readonly canAsk: boolean
  say(text: string): void
  /** What Ctrl-C does; in raw mode the terminal does not do it. */
  interrupt(): void
}

/** The terminal of this process. Prompts go to standard error: standard output is for results. */
export function processTerminal(context: CliContext): Terminal {
  return {
    input: process.stdin,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    say: (text) => context.err(text),
    interrupt: () => process.kill(process.pid, 'SIGINT'),
  }
}

const KEYS = { interrupt: 0x03, end: 0x04, backspace: 0x08, newline: 0x0a, enter: 0x0d, eraseLine: 0x15, delete: 0x7f }
/** More than anybody types. */
const LIMIT_BYTES = 4096

/**
 * Asks a person for a line that is not shown while it is typed. Backspace and Ctrl-U work; Ctrl-C interrupts.
 * Throws CLI_PASSWORD_MISSING when the terminal goes away, or Ctrl-D is typed on an empty line.
 */
export async function askHidden(terminal: Terminal, question: string): Promise<Uint8Array> {
  const { input } = terminal
  terminal.say(question)
  input.setRawMode?.(true)
  const line = new HiddenLine()
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = (end: () => void): void => {
        input.off('data', onData)
        input.off('end', onEnd)
        end()
      }
      const gone = (): CliError => new CliError('CLI_PASSWORD_MISSING', 'no password was typed')
      const onEnd = (): void => stop(() => reject(gone()))
      const onData = (bytes: Uint8Array): void => {
        for (const byte of bytes) {
          const key = line.type(byte)
          if (key === 'done') return stop(resolve)
          if (key === 'gone') return stop(() => reject(gone()))
          if (key !== 'interrupted') continue
          input.setRawMode?.(false)
          terminal.interrupt()
          return stop(() => reject(gone()))
        }
      }
      input.on('data', onData)
      input.on('end', onEnd)
      input.resume()
    })
    return line.take()
  } finally {
    line.forget()
    input.setRawMode?.(false)
    // A stream that is read keeps the process alive.
    input.pause()
    terminal.say('\n')
  }
}

/** What has been typed of a line, in bytes that can be overwritten. */
class HiddenLine {
  readonly #bytes = new Uint8Array(LIMIT_BYTES)
  #length = 0

  /** Takes a byte of the keyboard. */
  type(byte: number): 'typed' | 'done' | 'gone' | 'interrupted' {
    switch (byte) {
      case KEYS.enter:
      case KEYS.newline:
        return 'done'
      case KEYS.end:
        return this.#length === 0 ? 'gone' : 'done'
      case KEYS.interrupt:
        return 'interrupted'
      case KEYS.eraseLine:
        this.forget()
        return 'typed'
      case KEYS.backspace:
      case KEYS.delete:
        this.#erase()
        return 'typed'
      default:
        if (this.#length < LIMIT_BYTES) this.#bytes[this.#length++] = byte
        return 'typed'
    }
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  forget(): void {
    this.#bytes.fill(0)
    this.#length = 0
  }

  /** A character of UTF-8 is its last byte and what continues before it. */
  #erase(): void {
    while (this.#length > 0) {
      const byte = this.#bytes[--this.#length]!
      this.#bytes[this.#length] = 0
      if ((byte & 0xc0) !== 0x80) return
    }
  }
}
