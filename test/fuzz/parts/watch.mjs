import { setInterval, clearInterval } from 'node:timers'
import { Worker } from 'node:worker_threads'
import { MAX_INPUT_BYTES } from './mutate-bytes.mjs'

/** A single input that needs more ends the worker. */
const MAX_HEAP_MB = 320

/**
 * Runs the parsers of a module in a worker and watches it: an input that never ends, and one that takes all memory, are findings like the others. Gives the
 * figures of each parser in turn to `done`, and those of the running one to `progress`; resolves to true when there was no finding.
 *
 * `hangMs`: an input that is worked on for so long never ends, as far as anybody who waits is concerned; `from`: URL of the module; `names`: these parsers only; `runs`, `until` (milliseconds) and `seed` as in drive; `inputs`: these inputs and no others.
 */
export function fuzz({ done, progress, hangMs, ...work }) {
  const longest = Math.max(MAX_INPUT_BYTES, ...(work.inputs ?? []).map((input) => input.length))
  const shared = new SharedArrayBuffer(8 + 4 * longest)
  const state = new Int32Array(shared, 0, 2)
  const input = () => new Uint8Array(shared, 8, state[1]).slice()
  return new Promise((resolve, reject) => {
    let name = 'the first parser'
    let clean = true
    let [seen, since] = [0, performance.now()]
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { ...work, shared },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    })
    const fail = (kind, text) => {
      clean = false
      done({ name, inputs: Atomics.load(state, 0), finding: { kind, text, input: input() } })
      void worker.terminate()
    }
    const watch = setInterval(() => {
      const at = Atomics.load(state, 0)
      if (at !== seen) [seen, since] = [at, performance.now()]
      else if (at > 0 && performance.now() - since > hangMs) fail('hang', `one input took more than ${hangMs} ms`)
    }, 250)
    worker.on('message', ({ progress: running, done: finished }) => {
      name = (running ?? finished).name
      if (finished === undefined) return progress(running)
      if (finished.finding !== undefined) clean = false
      return done(finished)
    })
    worker.on('error', (error) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') fail('memory', `one input took more than ${MAX_HEAP_MB} MB`)
      else reject(error)
    })
    worker.on('exit', () => {
      clearInterval(watch)
      resolve(clean)
    })
  })
}
