import type { CheckProgress } from '@touchmark/audit'
import type { CliContext } from '../context.js'
import { Progress } from '../output.js'

const BAR_WIDTH = 24
const REDRAW_MS = 200
const LINE_EVERY_MS = 10_000

/** How far a check is: a bar on a terminal, a line now and then elsewhere, nothing with --json. */
export class ProgressBar {
  readonly #context: CliContext
  readonly #line: Progress
  readonly #name: string
  readonly #startedAt = performance.now()
  #shownAt = performance.now()
  #first: bigint | undefined

  constructor(context: CliContext, name: string) {
    this.#context = context
    this.#line = new Progress(context)
    this.#name = name
  }

  show(progress: CheckProgress): void {
    const now = performance.now()
    // A check that goes on where another ended was not as quick as the sum would say.
    this.#first ??= progress.entries
    if (now - this.#shownAt < (this.#context.interactive ? REDRAW_MS : LINE_EVERY_MS)) return
    this.#shownAt = now
    const rate = Number(progress.entries - this.#first) / ((now - this.#startedAt) / 1000)
    if (this.#context.interactive) this.#line.show(`${bar(progress)} ${progressText(progress, rate)}`)
    else if (!this.#context.json) this.#context.err(`${this.#name}: ${progressText(progress, rate)}\n`)
  }

  clear(): void {
    this.#line.clear()
  }
}

function bar({ entries, size }: CheckProgress): string {
  const filled = size === 0n ? BAR_WIDTH : Number((entries * BigInt(BAR_WIDTH)) / size)
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`
}

/** `42 %  420,000 of 1,000,000 entries  105,000/s  0:05 left  no difference`. */
export function progressText({ entries, size, differences }: CheckProgress, perSecond: number): string {
  const percent = size === 0n ? 100n : (entries * 100n) / size
  const left = perSecond > 0 ? duration(Number(size - entries) / perSecond) : '?'
  const found = differences === 0 ? 'no difference' : `${counted(differences)} differences`
  return `${percent} %  ${counted(entries)} of ${counted(size)} entries  ${counted(Math.round(perSecond))}/s  ${left} left  ${found}`
}

/** Digits in groups of three. */
export function counted(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `h:mm:ss`, or `m:ss`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = String(rest).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}
