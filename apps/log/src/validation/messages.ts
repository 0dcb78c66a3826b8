import { EntryError, ShapeError, type EntryErrorCode } from '@touchmark/entry'
import type { TaskName } from './tasks.js'

/** One request, as the thread is handed it. */
export interface Asked {
  readonly task: TaskName
  readonly body: Uint8Array
}

/** An EntryError on its way between threads, which keeps no class and no member of its own there. */
interface Refusal {
  readonly code: EntryErrorCode
  readonly text: string
  readonly shape?: { readonly number: number; readonly byHandler: boolean }
}

/** What became of one request. `bug` is the stack of an error that no request may cause. */
export type Outcome = { readonly result: unknown } | { readonly refusal: Refusal } | { readonly bug: string }

/** Says once that the thread can be asked; then answers each message with the outcomes of its requests, in their order. */
export type FromThread = 'ready' | readonly Outcome[]

export function outcomeOf(run: () => unknown): Outcome {
  try {
    return { result: run() }
  } catch (error) {
    if (!(error instanceof EntryError)) return { bug: error instanceof Error ? String(error.stack) : String(error) }
    const { code, message: text } = error
    if (!(error instanceof ShapeError)) return { refusal: { code, text } }
    return { refusal: { code, text, shape: { number: error.number, byHandler: error.byHandler } } }
  }
}

/** The error of a refusal, as if it had been thrown here. */
export function errorOf({ code, text, shape }: Refusal): EntryError {
  return shape === undefined ? new EntryError(code, text) : new ShapeError(shape.number, text, shape)
}
