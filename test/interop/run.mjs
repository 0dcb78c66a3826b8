// `npm run test:interop`: unpatched clients of others against our stack. `--require-all` makes a missing client a failure; `--only tools,exports` runs these
// parts alone, with the clients that they need.
//
// Example: npm run test:interop -- --only tools,exports
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { testAttestations } from './attestations.mjs'
import { bringClients, cacheFolder } from './clients.mjs'
import { testDifferential } from './differential.mjs'
import { testKeys } from './keys.mjs'
import { testLogSizes } from './log-sizes.mjs'
import { testLogins } from './logins.mjs'
import { attestationCannot, clientsOf, runMatrix, WHO } from './matrix.mjs'
import { testExports } from './s3.mjs'
import { root, startStack } from './stack.mjs'
import { testTools } from './tools.mjs'
import { testV1 } from './v1.mjs'

let passed = 0
let failed = 0

/** One result a line when it failed; successes are counted and shown in tables. */
function report(title, problem) {
  if (problem === undefined) passed++
  else {
    failed++
    console.log(`FAILED  ${title}\n        ${problem}`)
  }
}

/** The parts, with the clients that each one takes. */
const PARTS = {
  matrix: ['cosign', 'python', 'jsCli'],
  attestations: ['cosign', 'cosign2', 'python'],
  logins: ['cosign', 'python', 'jsCli'],
  keys: ['cosign', 'cosign2', 'python', 'openssl'],
  v1: ['cosign2', 'rekorCli'],
  tools: ['openssl', 'fsck'],
  exports: ['fsck', 'moto'],
  sizes: ['fsck'],
  differential: [],
}
const only = process.argv.indexOf('--only')
const parts = only === -1 ? Object.keys(PARTS) : (process.argv[only + 1] ?? '').split(',')
if (!parts.every((name) => name in PARTS)) {
  console.error(`--only takes some of ${Object.keys(PARTS).join(',')}`)
  process.exit(2)
}

const requireAll = process.argv.includes('--require-all')
console.log(`clients are kept in ${cacheFolder}`)
const { found, missing } = await bringClients(
  (name) => console.log(`bringing in ${name} …`),
  parts.flatMap((name) => PARTS[name]),
)
if (Object.keys(missing).length > 0)
  console.log(
    `missing: ${Object.entries(missing)
      .map(([name, why]) => `${name} (${why})`)
      .join('; ')}`,
  )
if (requireAll) for (const [name, why] of Object.entries(missing)) report(`${name} is there`, why)

/** Every client signs and attests, and every other one verifies it. */
async function testMatrix(token, file) {
  const predicate = join(root, 'test', 'vectors', 'clients', 'bundles', 'slsa1.json')
  const statement = join(folder, 'statement.json')
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
  writeFileSync(
    statement,
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'artifact.txt', digest: { sha256: digest } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: JSON.parse(readFileSync(predicate, 'utf8')),
    }),
  )
  const bundles = join(folder, 'bundles')
  mkdirSync(bundles)
  const all = clientsOf({ stack, found, token, file, predicate, statement })
  const clients = Object.fromEntries(Object.entries(all).filter(([name]) => missing[name] === undefined))
  await runMatrix({ title: 'files', clients, make: 'sign', check: 'verify', folder: bundles, report })
  await runMatrix({
    title: 'attestations',
    clients,
    make: 'attest',
    check: 'verifyAttestation',
    folder: bundles,
    report,
    cannot: attestationCannot,
  })
}

const folder = mkdtempSync(join(tmpdir(), 'touchmark-interop-'))
const stack = await startStack(folder)
try {
  const token = (await stack.touchmark('token', '--email', WHO)).stdout.trim()
  const file = join(folder, 'artifact.txt')
  writeFileSync(file, 'an artifact for everybody\n')
  if (parts.includes('matrix')) await testMatrix(token, file)
  if (parts.includes('attestations')) await testAttestations({ stack, found, token, file, folder, report })
  if (parts.includes('logins')) await testLogins({ stack, found, file, folder, report })
  if (parts.includes('keys')) await testKeys({ stack, found, file, folder, report })
  if (parts.includes('v1')) await testV1({ stack, found, token, file, folder, report })
  if (parts.includes('tools')) await testTools({ stack, found, token, file, folder, report })
  if (parts.includes('exports')) await testExports({ stack, found, folder, report })
  if (parts.includes('sizes') && found.fsck) await testLogSizes({ fsck: found.fsck, folder, report })
  if (parts.includes('differential')) await testDifferential({ report, requireGo: requireAll })
} finally {
  await stack.stop()
  await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
  rmSync(folder, { recursive: true, force: true })
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
