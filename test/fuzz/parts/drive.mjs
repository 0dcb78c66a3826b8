import { isCodedError } from '@touchmark/errors'
import { Random } from './random.mjs'

/** A single input that takes longer, alone and three times, is a finding. */
export const SLOW_MS = 100
/** So is memory that is still held after a garbage collection. */
export const MAX_GROWTH_BYTES = 64 * 1024 * 1024
const LOOK_EVERY = 256
const COLLECT_EVERY = 10_000

/** Thrown by a parser's `check`. */
export class NotStable extends Error {}

/** What a parser made of an input is as it must be. */
export function holds(condition, text) {
  if (!condition) throw new NotStable(text)
}

/** The value, or undefined when it was refused with a code; anything else that is thrown is a finding. */
export function codedOrValue(work) {
  try {
    return work()
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

const describe = (error) => (error instanceof Error ? (error.stack ?? error.message) : `not an Error: ${String(error)}`)

/** What is wrong with one input, if anything; `accepted` and `ms` (of the parser alone) beside it. */
export function tryInput(parser, input, now) {
  const began = now()
  let value
  try {
    value = parser.read(input)
  } catch (error) {
    const ms = now() - began
    if (isCodedError(error)) return { accepted: false, ms }
    return { accepted: false, ms, finding: { kind: 'exception', text: describe(error) } }
  }
  const ms = now() - began
  if (value === undefined) return { accepted: false, ms }
  try {
    parser.check(value, input)
  } catch (error) {
    const kind = error instanceof NotStable ? 'not stable' : 'exception in the check'
    return { accepted: true, ms, finding: { kind, text: describe(error) } }
  }
  return { accepted: true, ms }
}

/** The shortest of the time that was taken and of two more, alone: another process may have had the processor meanwhile. */
function timedAlone(parser, input, ms, now) {
  return Math.min(ms, tryInput(parser, input, now).ms, tryInput(parser, input, now).ms)
}

/**
 * Runs one parser over its seeds as they are, then over inputs made from them, until `runs` or `until` (of `now`) or a finding.
 *
 * `parser` is `{ name, seeds, next(random), read(input), check(value, input) }`: `read` gives undefined or throws a CodedError for what it refuses, `check`
 * throws {@link NotStable}. `heap` gives the bytes in use, `collect` collects garbage; `begin(input)` is called before each input, `tell(figures)` now and then.
 */
export function drive(parser, { runs, until = Infinity, seed, stream = 0, now, heap, collect, begin, tell }) {
  const random = new Random(seed, stream)
  const figures = { name: parser.name, inputs: 0, accepted: 0, refused: 0, slowestMs: 0, heapGrowth: 0, ms: 0 }
  const began = now()
  collect()
  const base = heap()
  let input
  const finish = (finding) => {
    figures.ms = now() - began
    return finding === undefined ? figures : { ...figures, finding: { ...finding, input } }
  }
  const grown = () => {
    collect()
    figures.heapGrowth = Math.max(figures.heapGrowth, heap() - base)
    if (figures.heapGrowth <= MAX_GROWTH_BYTES) return undefined
    return { kind: 'memory', text: `${Math.round(figures.heapGrowth / 1024 / 1024)} MB more are held than before` }
  }
  for (let i = 0; i < runs; i++) {
    if (i % LOOK_EVERY === 0 && now() >= until) break
    input = i < parser.seeds.length ? parser.seeds[i] : parser.next(random)
    begin(input)
    const tried = tryInput(parser, input, now)
    figures.inputs++
    figures[tried.accepted ? 'accepted' : 'refused']++
    if (tried.finding !== undefined) return finish(tried.finding)
    if (tried.ms > figures.slowestMs) {
      const ms = timedAlone(parser, input, tried.ms, now)
      figures.slowestMs = Math.max(figures.slowestMs, ms)
      if (ms > SLOW_MS)
        return finish({ kind: 'slow', text: `one input of ${input.length} bytes took ${ms.toFixed(0)} ms` })
    }
    if (i % LOOK_EVERY !== 0) continue
    if (i % COLLECT_EVERY < LOOK_EVERY || heap() - base > MAX_GROWTH_BYTES) {
      const finding = grown()
      if (finding !== undefined) return finish(finding)
    }
    tell({ ...figures, ms: now() - began })
  }
  return finish(grown())
}
