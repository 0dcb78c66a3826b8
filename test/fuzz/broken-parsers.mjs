// Parsers with one fault each, for the test of the fuzzer itself: npm run test:fuzz -- --from test/fuzz/broken-parsers.mjs
import { CodedError } from '@touchmark/errors'
import { holds } from './parts/drive.mjs'

const next = (random) => random.bytes(8)
const seeds = [Uint8Array.of(1, 2, 3)]
const fault = (name, read, check = () => undefined) => ({ name, seeds, next, read, check })
const marked = (input) => input.length === 8 && input[0] % 16 === 7

function spin(ms) {
  const until = performance.now() + ms
  while (performance.now() < until);
}

const held = []
let spun = false

export const parsers = [
  fault('refuses or takes', (input) => {
    if (input[0] % 2 === 1) throw new CodedError('TEST_REFUSED', 'refused')
    return input
  }),
  fault('throws', (input) => (marked(input) ? input.none.length : input)),
  fault('throws no Error', (input) => {
    if (marked(input)) throw 'text'
    return input
  }),
  fault(
    'is not stable',
    (input) => input,
    (_, input) => holds(!marked(input), 'written again it is another'),
  ),
  fault(
    'refuses what it wrote',
    (input) => input,
    (_, input) => {
      if (marked(input)) throw new CodedError('TEST_REFUSED', 'refused')
    },
  ),
  fault('is slow', (input) => {
    if (marked(input)) spin(150)
    return input
  }),
  fault('is slow once', (input) => {
    if (!spun && marked(input)) spin(150)
    spun ||= marked(input)
    return input
  }),
  fault('holds memory', (input) => {
    held.push(new Uint8Array(100_000))
    return input
  }),
  fault('hangs', (input) => {
    while (marked(input));
    return input
  }),
  fault('takes all memory', (input) => {
    for (const list = []; marked(input);) list.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
    return input
  }),
]
