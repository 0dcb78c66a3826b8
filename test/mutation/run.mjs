// `npm run test:mutation`: changes the code of the verifying libs in one place at a time and runs their tests on it. A change that no test notices must stand in
// survivors.json with the reason why it changes nothing; ends with 1 when one does not, or when the list has one that is no more.
//
//   --lib NAME          this lib alone; may be repeated (default: all of them)
//   --file PATH         these files alone, such as libs/tlog/src/tiles.ts; may be repeated, with one --lib
//   --concurrency 1     processes that test mutants
//   --json              the figures and what survived as JSON, on stdout
//
// Example: npm run test:mutation -- --lib merkle
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { last } from './parts/reporter.mjs'
import { compareWithList, survivorsOf } from './parts/survivors.mjs'

/** The libs in the order of risk, and specs of theirs that are left out: what takes half the time, and finds nothing that the others do not. */
const LIBS = {
  verify: ['swap-matrix.spec.ts', 'fuzz.spec.ts'],
  tlog: [],
  merkle: [],
  bundle: [],
  x509: [],
}

const { values: flags } = parseArgs({
  options: {
    lib: { type: 'string', multiple: true, default: Object.keys(LIBS) },
    file: { type: 'string', multiple: true },
    concurrency: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})

function wrong(text) {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

for (const lib of flags.lib) if (!Object.hasOwn(LIBS, lib)) wrong(`--lib is one of ${Object.keys(LIBS).join(', ')}`)
if (flags.file !== undefined && flags.lib.length !== 1) wrong('--file needs one --lib')
if (!/^[1-9]$/.test(flags.concurrency)) wrong('--concurrency is a number from 1 to 9')

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '../..'))
const sandbox = join('.cache', `mutation-${process.pid}`)

async function mutate(lib) {
  process.stderr.write(`${lib}\n`)
  const started = performance.now()
  const specs = [`libs/${lib}/src`, ...LIBS[lib].map((file) => `--without=${file}`)].join(' ')
  await new Stryker({
    mutate: flags.file ?? [`libs/${lib}/src/**/*.ts`, '!**/*.spec.ts', '!**/testing/**', '!**/index.ts'],
    testRunner: 'specs',
    plugins: ['spec-runner', 'texts', 'reporter'].map((name) => `./test/mutation/parts/${name}.mjs`),
    ignorers: ['texts'],
    reporters: ['touchmark'],
    coverageAnalysis: 'perTest',
    ignoreStatic: false,
    concurrency: Number(flags.concurrency),
    buildCommand: `node test/mutation/parts/bundle-specs.mjs ${specs}`,
    tempDirName: sandbox,
    cleanTempDir: 'always',
    ignorePatterns: ['**', '!libs/**', '!test/{vectors,setup,mutation}/**', '!package.json', '**/dist'],
    // Almost all mutants without an end are found by counting (see the hit limit in spec-runner.mjs); on a busy machine a short time would find others, too.
    timeoutMS: 20_000,
    timeoutFactor: 4,
    logLevel: 'error',
    allowConsoleColors: false,
  }).runMutationTest()
  const statuses = Object.values(last.report.files).flatMap(({ mutants }) => mutants.map(({ status }) => status))
  const count = (...wanted) => statuses.filter((status) => wanted.includes(status)).length
  const texts = count('Ignored')
  const compared = compareWithList(survivorsOf(last.report), (file) => file in last.report.files)
  const seconds = (performance.now() - started) / 1000
  return {
    lib,
    mutants: statuses.length - texts,
    texts,
    killed: count('Killed'),
    timeouts: count('Timeout'),
    errors: count('RuntimeError', 'CompileError'),
    argued: compared.argued.length,
    unargued: compared.unargued,
    stale: compared.stale,
    seconds: Math.round(seconds),
    millisecondsPerMutant: Math.round((seconds * 1000) / (statuses.length - texts)),
  }
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    rmSync(sandbox, { recursive: true, force: true })
    process.exit(130)
  })

const results = []
try {
  for (const lib of flags.lib) results.push(await mutate(lib))
} finally {
  rmSync(sandbox, { recursive: true, force: true })
}

function tell(result) {
  const { lib, mutants, texts, killed, timeouts, argued, unargued, stale, seconds } = result
  console.log(
    `${lib}: ${mutants} mutants (and ${texts} of texts), ${killed} killed, ${timeouts} never ended, ${argued} argued, ${unargued.length} not argued; ${seconds} s`,
  )
  for (const { at, mutator, line, original, replacement } of unargued)
    console.log(`  survived ${at} ${mutator}\n    ${line}\n    ${original} -> ${replacement}`)
  for (const { file, mutator, line, original, replacement } of stale)
    console.log(`  listed and not found ${file} ${mutator}\n    ${line}\n    ${original} -> ${replacement}`)
}

if (flags.json) console.log(JSON.stringify(results, undefined, 2))
else results.forEach(tell)
if (results.some(({ unargued, stale, errors }) => unargued.length + stale.length + errors > 0)) process.exitCode = 1
