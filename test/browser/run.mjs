// `npm run test:browser`: every *.test.mjs of this folder, in a real headless Chromium. Each exports `run(report)`.
//   --verbose   every case, not only those that fail
//
// Example: npm run test:browser -- --verbose
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chromiumPath } from './chromium.mjs'

const folder = dirname(fileURLToPath(import.meta.url))
const verbose = process.argv.includes('--verbose')
const count = { passed: 0, failed: 0 }

// On a machine without one nothing is tested, which is said; in CI that is a failure.
if (chromiumPath() === undefined) {
  console.log(
    'SKIPPED: no Chromium found. Install it (Debian: apt-get install chromium), or set CHROME_BIN to the path of one.',
  )
  process.exit(process.env.CI === 'true' ? 1 : 0)
}

function report(name, problem) {
  count[problem === undefined ? 'passed' : 'failed']++
  if (problem !== undefined) console.log(`FAILED ${name}\n  ${String(problem).slice(0, 2000)}`)
  else if (verbose) console.log(`passed ${name}`)
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.mjs'))) {
  try {
    const { run } = await import(pathToFileURL(join(folder, file)))
    await run(report)
  } catch (error) {
    report(file, error?.stack ?? error)
  }
}
console.log(`${count.passed} passed, ${count.failed} failed`)
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1
