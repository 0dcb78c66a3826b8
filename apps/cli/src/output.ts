import { isCodedError } from '@touchmark/errors'
import type { CliContext } from './context.js'

/** Text from outside may move a terminal's cursor or colour it: control characters are shown, not sent (reliability test A6). */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Rows of a name and a value, aligned. */
export function rows(pairs: readonly (readonly [string, string])[], indent = '  '): string {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${indent}${name.padEnd(width)}  ${printable(value)}\n`).join('')
}

/** One JSON document a command, on standard output. */
export function printJson(context: CliContext, value: unknown): void {
  context.out(
    `${JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))}\n`,
  )
}

/** Says what went wrong, what was expected and found, and what to do. */
export function printError(context: CliContext, error: unknown): void {
  if (!isCodedError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    if (context.json) printJson(context, { error: { code: 'UNEXPECTED', message: text } })
    else context.err(`touchmark: an unexpected error, which is a fault of touchmark:\n${printable(text)}\n`)
    return
  }
  const { check, expected, found, hint } = error.details
  if (context.json)
    return printJson(context, { error: { code: error.code, message: error.message, check, expected, found, hint } })
  const pairs: [string, string][] = []
  if (expected !== undefined) pairs.push(['expected', expected])
  if (found !== undefined) pairs.push(['found', found])
  if (hint !== undefined) pairs.push(['do', hint])
  pairs.push(['code', error.code])
  context.err(`touchmark: ${printable(error.message)}\n${rows(pairs)}`)
}

/** A line of progress that replaces itself, on a terminal only. */
export class Progress {
  readonly #context: CliContext
  #shown = false

  constructor(context: CliContext) {
    this.#context = context
  }

  show(text: string): void {
    if (!this.#context.interactive) return
    this.#context.err(`\r\u001b[2K${printable(text)}`)
    this.#shown = true
  }

  clear(): void {
    if (this.#shown) this.#context.err('\r\u001b[2K')
    this.#shown = false
  }
}
