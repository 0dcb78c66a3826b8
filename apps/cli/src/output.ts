import { isCodedError } from '@touchmark/errors'
import type { CliContext } from './context.js'
import { adviceFor } from './next-steps.js'

/** Control characters, and those that turn the direction of a text or break its line. */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Text from outside may move a terminal's cursor, colour it, or begin a line that looks like ours: such characters are shown, not sent (reliability test A6). */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** Rows of a name and a value, aligned. */
export function rows(pairs: readonly (readonly [string, string])[], indent = '  '): string {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${indent}${name.padEnd(width)}  ${printable(value)}\n`).join('')
}

/** A cell wider than this moves what follows it, and not the lines of others. */
const WIDEST_CELL = 60

/** Lines of cells, the first three columns aligned. The cells MUST be {@link printable}. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) =>
    Math.min(
      WIDEST_CELL,
      lines.reduce((most, line) => Math.max(most, line[column]!.length), 0),
    ),
  )
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** One JSON document a command, on standard output; the escapes of {@link printable} are those of JSON. */
export function printJson(context: CliContext, value: unknown): void {
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))
  context.out(`${printable(text)}\n`)
}

/** What is said about an error in JSON. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (!isCodedError(error)) return { code: 'UNEXPECTED', message: unexpectedText(error) }
  const { check, expected, found } = error.details
  return { code: error.code, message: error.message, check, expected, found, hint: adviceFor(error) }
}

/** Says what went wrong, what was expected and found, and what to do. */
export function printError(context: CliContext, error: unknown): void {
  if (context.json) return printJson(context, { error: errorJson(error) })
  context.err(errorText(error))
}

/** An error in words, for standard error. */
export function errorText(error: unknown): string {
  if (!isCodedError(error))
    return `touchmark: an unexpected error, which is a fault of touchmark:\n${printableLines(unexpectedText(error))}\n`
  const { expected, found } = error.details
  const hint = adviceFor(error)
  const pairs: [string, string][] = []
  if (expected !== undefined) pairs.push(['expected', expected])
  if (found !== undefined) pairs.push(['found', found])
  if (hint !== undefined) pairs.push(['do', hint])
  pairs.push(['code', error.code])
  return `touchmark: ${printable(error.message)}\n${rows(pairs)}`
}

function unexpectedText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
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
