// Run by bundle.mjs as a process of its own, as V8's code is made of functions that have been run: verifies the bundles of tools/warm-up, one of a log
// of each version, then keeps the code of every file of the command line that took part.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load, loaded } from '../apps/cli/bin/load.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const ISSUERS = { v1: 'http://localhost:9998', v2: 'http://localhost:41055/oidc' }

for (const [version, issuer] of Object.entries(ISSUERS)) {
  const folder = join(root, 'tools', 'warm-up', version)
  const command = ['verify', join(folder, 'a.txt'), '--trusted-root', join(folder, 'trusted_root.json')]
  const who = ['--certificate-identity', 'dev@example.com', '--certificate-oidc-issuer', issuer]
  await load('main.cjs').main([...command, ...who])
  if (process.exitCode) throw new Error(`touchmark verify of tools/warm-up/${version} ended with ${process.exitCode}`)
}

for (const [name, { script, id }] of loaded) {
  const path = join(root, 'apps', 'cli', 'bin', 'dist', `${name}.code`)
  writeFileSync(path, Buffer.concat([Buffer.from(id, 'latin1'), script.createCachedData()]))
}
