import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { drive } from './drive.mjs'

v8.setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const { shared, from, names, runs, until, seed, inputs } = workerData
const { parsers } = await import(from)
const now = () => performance.now()
/** Where the main thread finds the input that is being worked on, should this thread not come back from it. */
const state = new Int32Array(shared, 0, 2)
const held = new Uint8Array(shared, 8)

function begin(input) {
  state[1] = Math.min(input.length, held.length)
  held.set(input.subarray(0, state[1]))
  Atomics.add(state, 0, 1)
}

function heap() {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const chosen = parsers.filter(({ name }) => names === undefined || names.includes(name))
let weight = chosen.reduce((sum, parser) => sum + (parser.weight ?? 1), 0)
let left = runs
const end = until === undefined ? Infinity : now() + until
for (const parser of chosen) {
  const share = (parser.weight ?? 1) / weight
  weight -= parser.weight ?? 1
  // A short list of inputs that an earlier run has left is tried as it is.
  const tried = inputs === undefined ? parser : { ...parser, seeds: inputs, next: () => inputs[0] }
  const figures = drive(tried, {
    runs: inputs === undefined ? Math.ceil(left * share) : inputs.length,
    until: now() + (end - now()) * share,
    seed,
    stream: parsers.indexOf(parser),
    now,
    heap,
    collect,
    begin,
    tell: (progress) => parentPort.postMessage({ progress }),
  })
  left -= figures.inputs
  parentPort.postMessage({ done: figures })
}
