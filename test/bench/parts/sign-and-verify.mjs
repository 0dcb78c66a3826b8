// An instance of our own on this machine, and what signing and verifying many files against it takes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { startStack } from '../../interop/stack.mjs'
import { median } from './figures.mjs'

const WHO = 'dev@example.com'
const MANY = 200

/** The instance, with one signature by it; the caller stops it. */
export async function startInstance(folder, say) {
  say('an instance starts')
  const stack = await startStack(folder)
  const files = join(folder, 'files')
  mkdirSync(files, { recursive: true })
  const token = async () => (await stack.touchmark('token', '--email', WHO)).stdout.trim()
  const artifact = join(files, 'one.txt')
  writeFileSync(artifact, 'one file\n')
  const bundle = join(files, 'one.json')
  await stack.touchmark('sign', artifact, '--identity-token', await token(), '--bundle', bundle)
  const signed = { bundle, artifact, root: stack.root, identity: WHO, issuer: stack.issuer }
  return {
    stack,
    files,
    token,
    signed,
    trustConfig: stack.trust,
    async stop() {
      await stack.stop()
      await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
    },
  }
}

/** Seconds of a piece of work. */
async function secondsOf(work) {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

async function repeated(runs, make, work) {
  const times = []
  for (let i = 0; i < runs; i++) {
    const made = await make(i)
    times.push(await secondsOf(() => work(made)))
  }
  return { seconds: median(times), times }
}

/** New files for each run: nothing is signed twice. */
function newFiles(instance, name, count) {
  const folder = join(instance.files, name)
  mkdirSync(folder, { recursive: true })
  return Array.from({ length: count }, (_, i) => {
    const path = join(folder, `${i}.txt`)
    writeFileSync(path, `${name} ${i}\n`)
    return path
  })
}

/** `touchmark sign` as a process, from its start to its end. */
export async function signing(instance, runs, say) {
  const sign = ({ paths, token }) => instance.stack.touchmark('sign', ...paths, '--identity-token', token)
  const rows = []
  for (const [count, wanted] of [
    [1, '0.4'],
    [MANY, '4'],
  ]) {
    say(`touchmark sign, ${count}`)
    const make = async (i) => ({
      paths: newFiles(instance, `sign-${count}-${i}`, count),
      token: await instance.token(),
    })
    rows.push({
      name: `touchmark sign, ${count === 1 ? 'one file' : `${count} files`}`,
      wanted,
      ...(await repeated(runs, make, sign)),
    })
  }
  return rows
}

/** `touchmark verify` of the files that the first run of {@link signing} has signed. */
export async function manyFiles(instance, runs) {
  const paths = Array.from({ length: MANY }, (_, i) => join(instance.files, `sign-${MANY}-0`, `${i}.txt`))
  const { identity, issuer, root } = instance.signed
  const who = ['--trusted-root', root, '--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  const verify = () => instance.stack.touchmark('verify', ...paths, ...who)
  return [{ name: `touchmark verify, ${MANY} files`, ...(await repeated(runs, () => undefined, verify)) }]
}
