// `npm run test:differential`: bundles that were changed in some place, judged by us, by sigstore-js (@sigstore/verify) and, where Go is, by sigstore-go.
// Where two judges disagree, parts/reasons.mjs must say who is right and why: a disagreement without a reason, or anything that we throw and that is no coded
// refusal, ends the run with exit code 1. docs/design/differential.md has the table.
//
//   --cases 10000     changed bundles, after the unchanged ones
//   --seed 1          another sequence of cases (the same seed gives the same cases)
//   --case N          this case alone, with all verdicts and its bundle
//   --show ID         also lists the cases of one reason
//   --without ID      as if the table had not this reason
//   --no-go           without sigstore-go, as when Go is not installed
//   --require-go      it is a failure when sigstore-go cannot be built
//   --json            the figures as JSON
//   --markdown        the table as docs/design/differential.md has it
//
// Example: npm run test:differential -- --cases 500 --no-go
import { parseArgs } from 'node:util'
import { Cases } from './parts/cases.mjs'
import { Compare } from './parts/compare.mjs'
import { buildGoJudge, GoJudge } from './parts/go-judge.mjs'
import { jsJudge, ourJudge } from './parts/judges.mjs'
import { REASONS } from './parts/reasons.mjs'
import { printCase, printFigures, printMarkdown } from './parts/report.mjs'
import { readSources } from './parts/subjects.mjs'

const { values: flags } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
    show: { type: 'string' },
    without: { type: 'string' },
    go: { type: 'boolean', default: true },
    'require-go': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
  },
  allowNegative: true,
})

function wrong(text) {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

function count(name) {
  if (flags[name] === undefined) return undefined
  if (!/^[0-9]{1,9}$/.test(flags[name])) wrong(`--${name} is a number`)
  return Number(flags[name])
}

const wanted = count('cases')
const seed = count('seed')
const single = count('case')
for (const name of ['show', 'without'])
  if (flags[name] !== undefined && !REASONS.some(({ id }) => id === flags[name]))
    wrong(`there is no reason ${flags[name]}`)

/** The path of sigstore-go's program, or undefined and a line that says why. */
async function goProgram() {
  if (!flags.go) return undefined
  try {
    return await buildGoJudge()
  } catch (error) {
    const why =
      error.code === 'ENOENT'
        ? 'Go is not installed'
        : String(error.stderr || error.message)
            .trim()
            .split('\n')
            .at(-1)
    process.stderr.write(`without sigstore-go: ${why}\n`)
    if (flags['require-go']) process.exit(1)
    return undefined
  }
}

const sources = readSources()
if (!sources.hasConformance)
  process.stderr.write('sigstore-conformance is absent: its bundles are not among the cases\n')
const cases = new Cases(sources, seed)
const judges = new Map(
  sources.subjects.map((subject) => [subject.name, { ours: ourJudge(subject), js: jsJudge(subject) }]),
)
const program = await goProgram()
const go = program && new GoJudge(program, sources.subjects)
const compare = new Compare(REASONS.filter(({ id }) => id !== flags.without))

/** sigstore-go works on its answers while the judges of this process work on theirs. */
async function judgeAll(batch) {
  const fromGo = go && batch.map(({ subject, bytes }) => go.judge(subject, bytes))
  const own = batch.map(({ subject, bytes }) => {
    const { ours, js } = judges.get(subject)
    return { ours: ours(bytes), js: js(bytes) }
  })
  const theirs = fromGo && (await Promise.all(fromGo))
  return own.map((verdicts, i) => (theirs === undefined ? verdicts : { ...verdicts, go: theirs[i] }))
}

const began = performance.now()
let toldAt = began
if (single === undefined) {
  const unchanged = cases.unchanged.map((one) => ({ ...one, number: 'unchanged' }))
  const numbers = Array.from({ length: wanted }, (_, number) => number)
  for (let from = -unchanged.length; from < wanted; from += 100) {
    const batch =
      from < 0 ? unchanged : numbers.slice(from, from + 100).map((number) => ({ ...cases.at(number), number }))
    if (from < 0) from = -100
    const verdicts = await judgeAll(batch)
    batch.forEach((one, i) => compare.add(one, verdicts[i]))
    if (performance.now() - toldAt > 10_000) {
      toldAt = performance.now()
      process.stderr.write(
        `  ${(from + batch.length).toLocaleString('en')} of ${wanted.toLocaleString('en')} cases, ${((toldAt - began) / 1000).toFixed(0)} s, ${compare.disagreements} disagreements, ${compare.unexplained.length} without a reason\n`,
      )
    }
  }
} else {
  const one = { ...cases.at(single), number: single }
  const [verdicts] = await judgeAll([one])
  compare.add(one, verdicts)
  printCase(one, verdicts, compare)
}
await go?.end()

const figures = compare.figures({
  seed,
  seconds: (performance.now() - began) / 1000,
  withGo: go !== undefined,
  show: flags.show,
})
if (flags.json) console.log(JSON.stringify(figures))
else if (flags.markdown) printMarkdown(figures)
else if (single === undefined) printFigures(figures)
process.exitCode = figures.unexplained.length + figures.faults.length === 0 ? 0 : 1
