// `npm run test:fuzz`: throws inputs at every parser of what an entry passes through, made from recorded ones. A finding is anything thrown that is no coded
// refusal, an accepted value that does not encode to what was read or reads otherwise when it is written again, an input that takes over 100 ms alone or
// never ends, and memory that is held. It ends with exit code 1 and the input in a file.
//
//   --runs 1000000      inputs in all, shared out by weight
//   --seconds N         and not longer than this; without --runs, as many as there is time for
//   --seed N            another sequence of inputs (default: 1; the same seed gives the same inputs)
//   --only NAME         this parser; may be repeated
//   --list              the names of the parsers
//   --input FILE        with --only: this input alone, such as one that an earlier run has left
//   --hang-seconds 10   how long one input may take before it never ends
//   --findings DIR      where inputs with a finding are written (default: the current folder)
//   --json              the figures as JSON
//   --from FILE         the parsers of another module
//
// Example: npm run test:fuzz -- --runs 10000 --only 'v2 request'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzz } from './parts/watch.mjs'

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    input: { type: 'string' },
    'hang-seconds': { type: 'string', default: '10' },
    findings: { type: 'string', default: '.' },
    json: { type: 'boolean', default: false },
    from: { type: 'string' },
  },
})

function wrong(text) {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

function count(name) {
  const text = flags[name]
  if (text !== undefined && !/^[1-9][0-9]{0,11}$/.test(text)) wrong(`--${name} is a positive number`)
  return text === undefined ? undefined : Number(text)
}

const seconds = count('seconds')
const runs = count('runs') ?? (seconds === undefined ? 1_000_000 : Number.MAX_SAFE_INTEGER)
const seed = count('seed')
const from =
  flags.from === undefined
    ? new URL('./parsers/index.mjs', import.meta.url).href
    : pathToFileURL(resolve(flags.from)).href
const { parsers } = await import(from)
for (const name of flags.only ?? [])
  if (!parsers.some((parser) => parser.name === name)) wrong(`there is no parser ${name}: see --list`)
if (flags.input !== undefined && flags.only?.length !== 1) wrong('--input needs one parser: --only NAME')
if (flags.list) {
  for (const { name } of parsers) console.log(name)
  process.exit(0)
}

const rate = ({ inputs, ms }) => Math.round(inputs / (ms / 1000))
const began = performance.now()
const results = []
let toldAt = began
let before = 0

function tell(figures) {
  const at = performance.now()
  if (at - toldAt < 2000) return
  toldAt = at
  const all = (before + figures.inputs).toLocaleString('en')
  const of = runs === Number.MAX_SAFE_INTEGER ? '' : ` of ${runs.toLocaleString('en')}`
  process.stderr.write(
    `  ${all}${of} inputs, ${((at - began) / 1000).toFixed(0)} s; now ${figures.name}: ${figures.inputs.toLocaleString('en')} at ${rate(figures).toLocaleString('en')}/s, ${figures.accepted.toLocaleString('en')} accepted\n`,
  )
}

function report({ finding, ...figures }) {
  before += figures.inputs
  if (finding === undefined) return void results.push(figures)
  mkdirSync(flags.findings, { recursive: true })
  const path = join(flags.findings, `fuzz-finding-${figures.name.replace(/[^a-z0-9]+/gi, '-')}.bin`)
  writeFileSync(path, finding.input)
  results.push({ ...figures, finding: { kind: finding.kind, text: finding.text, input: path } })
  process.stderr.write(`${figures.name}: ${finding.kind}: ${finding.text}\n`)
  process.stderr.write(
    `  the input is in ${path}; again: npm run test:fuzz -- --only '${figures.name}' --input ${path}\n`,
  )
}

const clean = await fuzz({
  from,
  names: flags.only,
  runs,
  until: seconds === undefined ? undefined : seconds * 1000,
  seed,
  hangMs: count('hang-seconds') * 1000,
  inputs: flags.input === undefined ? undefined : [new Uint8Array(readFileSync(flags.input))],
  done: report,
  progress: tell,
})

const took = (performance.now() - began) / 1000
if (flags.json) console.log(JSON.stringify({ node: process.version, seed, seconds: took, results }))
else {
  const rows = results.map((figures) => [
    figures.name,
    figures.inputs.toLocaleString('en'),
    figures.ms === undefined ? '' : rate(figures).toLocaleString('en'),
    figures.accepted?.toLocaleString('en') ?? '',
    figures.refused?.toLocaleString('en') ?? '',
    figures.slowestMs?.toFixed(1) ?? '',
    figures.heapGrowth === undefined ? '' : (figures.heapGrowth / 1024 / 1024).toFixed(1),
    figures.finding?.kind ?? '',
  ])
  const all = [['parser', 'inputs', 'per s', 'accepted', 'refused', 'slowest ms', 'held MB', 'finding'], ...rows]
  const widths = all[0].map((_, i) => Math.max(...all.map((row) => row[i].length)))
  for (const row of all) {
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
  }
  console.log(
    `\n${before.toLocaleString('en')} inputs in ${took.toFixed(0)} s, Node ${process.version}, seed ${seed}: ${clean ? 'no finding' : 'findings above'}`,
  )
}
process.exitCode = clean ? 0 : 1
