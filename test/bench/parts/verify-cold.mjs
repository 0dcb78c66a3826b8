// A verification as a process of its own, from its start to its end, in turn with those of other clients.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../../interop/clients.mjs'
import { root } from '../../interop/stack.mjs'
import { median } from './figures.mjs'

function commands(bundles, instance) {
  const who = ({ identity, issuer }) => ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  const ours = (name, one) => ({
    name,
    path: join(root, 'node_modules', '.bin', 'touchmark'),
    args: ['verify', one.artifact, '--bundle', one.bundle, '--trusted-root', one.root, ...who(one)],
  })
  const [first] = bundles
  const all = [
    { name: 'node, nothing', path: process.execPath, args: ['-e', '0'] },
    ours(`touchmark, ${first.name}`, first),
  ]
  if (instance === undefined) return all
  const { signed, trustConfig } = instance
  const python = ['--trust-config', trustConfig, 'verify', 'identity', '--bundle', signed.bundle]
  const pythonWho = ['--cert-identity', signed.identity, '--cert-oidc-issuer', signed.issuer, signed.artifact]
  return [
    ...all,
    ours('touchmark, P-256', signed),
    {
      name: 'cosign, P-256',
      path: join(cacheFolder, 'bin', 'cosign'),
      args: ['verify-blob', '--bundle', signed.bundle, '--trusted-root', signed.root, ...who(signed), signed.artifact],
    },
    {
      name: 'sigstore-python, P-256',
      path: join(cacheFolder, 'sigstore-4.5.1', 'bin', 'sigstore'),
      args: [...python, ...pythonWho],
    },
  ].filter(({ path }) => existsSync(path))
}

/** Milliseconds of one run; throws when the command fails. */
function timed({ path, args }) {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(path, args, { stdio: 'ignore' })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve(performance.now() - began)
      else reject(new Error(`${path} ended with ${code}`))
    })
  })
}

/** One row for each client that is there and can verify the bundle: median and least of the wall-clock times, in turn. */
export async function coldStarts(bundles, instance, runs) {
  const rows = commands(bundles, instance).map((command) => ({ ...command, times: [] }))
  for (const row of rows) {
    try {
      // Its files are in memory afterwards.
      await timed(row)
    } catch (error) {
      row.skipped = error.message
    }
  }
  const able = rows.filter(({ skipped }) => skipped === undefined)
  for (let i = 0; i < runs; i++) for (const row of able) row.times.push(await timed(row))
  return rows.map(({ name, times, skipped }) =>
    skipped === undefined ? { name, ms: median(times), leastMs: Math.min(...times) } : { name, skipped },
  )
}
