// Warm verifications of one bundle: ours in a process of its own on one core, and sigstore-go's by the bench folder's verifyload.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../interop/stack.mjs'
import { outsideVectors } from '../../support/outside-vectors.mjs'

const exec = promisify(execFile)

const BEACON =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'
const GITHUB = 'https://token.actions.githubusercontent.com'

/** The bundles that are measured: `wanted` is what ours must be of sigstore-go's rate. */
export function warmBundles(instance) {
  const suite = outsideVectors('sigstore-conformance') ?? 'none'
  const publicGood = (name, folder, more = {}) => {
    const own = (file, otherwise) => {
      const path = join(suite, 'bundle-verify', folder, file)
      return existsSync(path) ? path : join(suite, otherwise)
    }
    return {
      name,
      bundle: own('bundle.sigstore.json'),
      artifact: own('artifact', 'a.txt'),
      root: own('trusted_root.json', 'public-good.trusted_root.json'),
      identity: BEACON,
      issuer: GITHUB,
      ...more,
    }
  }
  const clients = join(root, 'test', 'vectors', 'clients')
  const client = (name, file, more = {}) => ({
    name,
    bundle: join(clients, 'bundles', file),
    artifact: join(clients, 'bundles', 'a.txt'),
    root: join(clients, 'trusted_root.json'),
    identity: 'dev@example.com',
    issuer: 'http://localhost:9998',
    ...more,
  })
  const all = [
    publicGood('public-good', 'happy-path-v0.3', { wanted: 2 }),
    publicGood('public-good, attestation', 'happy-path-intoto-in-dsse-v3'),
    publicGood('Rekor v2, timestamp of P-384', 'rekor2-happy-path'),
    publicGood('Rekor v2, cosigned by witnesses', 'rekor2-checkpoint-multiple-cosigs'),
    client('P-256, Rekor v2, timestamp', 'cosign3.v2.blob.json', { wanted: 1 }),
    client('P-256, Rekor v1', 'cosign3.v1.blob.json'),
    ...(instance === undefined ? [] : [{ name: 'P-256, of this instance', ...instance.signed, wanted: 1 }]),
  ]
  return all.filter(({ bundle }) => existsSync(bundle))
}

/** Path of verifyload, built into `folder`; or why there is none. */
export function buildVerifyload(folder) {
  const bench = process.env.TOUCHMARK_BENCH ?? join(root, '..', 'shared', 'bench')
  const source = join(bench, 'verifyload')
  if (!existsSync(source)) return { reason: `verifyload is not in ${bench}` }
  try {
    const path = join(folder, 'verifyload')
    execFileSync('go', ['build', '-o', path, '.'], { cwd: source, stdio: ['ignore', 'ignore', 'pipe'] })
    return path
  } catch (error) {
    return { reason: `verifyload does not build: ${String(error.stderr ?? error.message).slice(0, 200)}` }
  }
}

const ONE_CORE = { ...process.env, GOMAXPROCS: '1' }

/** Verifications a second of sigstore-go on one core, for about so many seconds. */
export async function goRate(verifyload, { bundle, root: trusted, artifact, identity, issuer }, seconds) {
  const flags = { bundle, 'trusted-root': trusted, artifact, identity, issuer, workers: 1 }
  const args = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)])
  const run = async (n) =>
    JSON.parse((await exec(verifyload, [...args, '-n', String(n)], { env: ONE_CORE })).stdout).per_second
  const guess = await run(50)
  return run(Math.max(50, Math.round(guess * seconds)))
}

/** Ours, in a process of its own. */
export async function ourRate(bundle, seconds) {
  const driver = join(root, 'test', 'bench', 'parts', 'verify-loop.mjs')
  return JSON.parse((await exec(process.execPath, [driver, JSON.stringify({ ...bundle, seconds })])).stdout).perSecond
}
