// `npm run bench:verify`: the verifier and the client beside their peers, one after the other on the same machine.
//
// Warm verifications a second, one core each, in turn with sigstore-go (`verifyload` of the bench folder): parsing the bundle is in, the trusted root is
// not. Cold starts of `touchmark verify` beside cosign and sigstore-python, many files on all cores, and signing against an instance of its own.
// Needs Go and the bench folder (TOUCHMARK_BENCH, or ../shared/bench beside the repository) for sigstore-go, the clients of the interop cache for the
// cold ones (`npm run test:interop` brings them), TOUCHMARK_VECTORS or the vectors beside the repository for bundles of the public-good instance; what is not there is left out.
//
//   --short    few repetitions: does it run?
//   --json     the figures as one JSON document
//   --no-sign  without the instance
//
// Example: npm run bench:verify -- --short
import { rmSync, mkdtempSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, number, table } from './parts/figures.mjs'
import { buildVerifyload, goRate, ourRate, warmBundles } from './parts/verify-warm.mjs'
import { coldStarts } from './parts/verify-cold.mjs'
import { manyFiles, signing, startInstance } from './parts/sign-and-verify.mjs'

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'no-sign': { type: 'boolean', default: false },
  },
})
const repetitions = flags.short ? 1 : 7
const seconds = flags.short ? 0.5 : 2
const say = (text) => process.stderr.write(`${text}\n`)
const folder = mkdtempSync(join(tmpdir(), 'touchmark-bench-verify-'))

/** In turn, ours and theirs, so that a machine that gets slower is so for both; the ratio is the median of the pairs'. */
async function compare(bundle, verifyload) {
  const pairs = []
  for (let i = 0; i < repetitions; i++) {
    const ours = await ourRate(bundle, seconds)
    const go = verifyload && (await goRate(verifyload, bundle, seconds))
    pairs.push({ ours, go, ratio: go && ours / go })
  }
  const middle = (name) => median(pairs.map((pair) => pair[name]))
  return {
    name: bundle.name,
    ours: middle('ours'),
    go: middle('go'),
    ratio: middle('ratio'),
    wanted: bundle.wanted,
    pairs,
  }
}

const report = {
  node: process.version,
  cpus: cpus().length,
  cpu: cpus()[0]?.model.trim(),
  repetitions,
  seconds,
  warm: [],
}
try {
  const instance = flags['no-sign'] ? undefined : await startInstance(folder, say)
  try {
    const verifyload = buildVerifyload(folder)
    if (typeof verifyload !== 'string') report.skipped = verifyload.reason
    for (const bundle of warmBundles(instance)) {
      say(`${bundle.name}, warm`)
      report.warm.push(await compare(bundle, typeof verifyload === 'string' ? verifyload : undefined))
    }
    say('cold starts')
    report.cold = await coldStarts(warmBundles(instance), instance, flags.short ? 3 : 15)
    if (instance !== undefined) {
      say('many files')
      report.sign = await signing(instance, flags.short ? 1 : 5, say)
      report.many = await manyFiles(instance, flags.short ? 1 : 5)
    }
  } finally {
    await instance?.stop()
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function print() {
  console.log(`\nNode ${report.node}, ${report.cpus} CPUs (${report.cpu}); medians\n`)
  const warm = [['warm, one core', 'touchmark/s', 'sigstore-go/s', 'ratio', 'wanted']]
  for (const { name, ours, go, ratio, wanted } of report.warm)
    warm.push([name, number(ours), number(go), ratio ? `${number(ratio)}x` : '-', wanted ? `${wanted}x` : '-'])
  console.log(table(warm))
  if (report.skipped) console.log(`no comparison: ${report.skipped}`)
  const cold = [['a verification as a process', 'ms', 'least', 'wanted']]
  for (const { name, ms, leastMs, skipped } of report.cold)
    cold.push([name, skipped ?? number(ms), number(leastMs), name.startsWith('touchmark') ? '150' : '-'])
  console.log(`\n${table(cold)}`)
  if (report.sign === undefined) return
  const rest = [['against an instance on this machine', 's', 'wanted']]
  for (const { name, seconds: s, wanted } of [...report.sign, ...report.many])
    rest.push([name, number(s), wanted ?? '-'])
  console.log(`\n${table(rest)}`)
}

if (flags.json) console.log(JSON.stringify(report))
else print()
