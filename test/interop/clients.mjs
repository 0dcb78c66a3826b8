// Brings in the real clients, each through its own registry, into a cache folder; nothing is installed anywhere else.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** `TOUCHMARK_INTEROP_CACHE`, else the user's cache folder. */
export const cacheFolder =
  process.env.TOUCHMARK_INTEROP_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'touchmark-interop')

const GO_CLIENTS = {
  cosign: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3',
  cosign2: 'github.com/sigstore/cosign/v2/cmd/cosign@v2.6.5',
  rekorCli: 'github.com/sigstore/rekor/cmd/rekor-cli@v1.5.4',
  fsck: 'github.com/transparency-dev/tessera/cmd/fsck@v1.0.4',
}
const PYTHON_CLIENTS = {
  python: { requirement: 'sigstore==4.5.1', folder: 'sigstore-4.5.1', program: 'sigstore' },
  moto: { requirement: 'moto[s3,server]==5.2.5', folder: 'moto-5.2.5', program: 'moto_server' },
}
const JS_CLI = '@sigstore/cli@0.8.1'

async function goClient(name, module) {
  const target = join(cacheFolder, 'bin', name)
  if (existsSync(target)) return target
  mkdirSync(join(cacheFolder, 'bin'), { recursive: true })
  const building = mkdtempSync(join(cacheFolder, 'go-'))
  try {
    await run('go', ['install', module], {
      env: { ...process.env, GOBIN: building, GOFLAGS: '-trimpath' },
      maxBuffer: 64 << 20,
    })
    renameSync(join(building, readdirSync(building)[0]), target)
    return target
  } finally {
    rmSync(building, { recursive: true, force: true })
  }
}

async function pythonClient({ requirement, folder: name, program }) {
  const folder = join(cacheFolder, name)
  const target = join(folder, 'bin', program)
  if (existsSync(target)) return target
  await run('python3', ['-m', 'venv', folder])
  try {
    await run(join(folder, 'bin', 'pip'), ['--quiet', 'install', requirement], { maxBuffer: 64 << 20 })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return target
}

async function jsCli() {
  const folder = join(cacheFolder, 'sigstore-js-cli')
  const target = join(folder, 'node_modules', '.bin', 'sigstore')
  if (existsSync(target)) return target
  mkdirSync(folder, { recursive: true })
  await run(
    'npm',
    ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', '--loglevel=error', JS_CLI],
    { maxBuffer: 64 << 20 },
  )
  return target
}

async function systemTool(name) {
  await run(name, ['version'])
  return name
}

/** Resolves with the clients that are there, and with a reason for each that is not; `names` are all of them, or those that are wanted. */
export async function bringClients(progress, names) {
  const wanted = {
    cosign: () => goClient('cosign', GO_CLIENTS.cosign),
    cosign2: () => goClient('cosign2', GO_CLIENTS.cosign2),
    rekorCli: () => goClient('rekor-cli', GO_CLIENTS.rekorCli),
    fsck: () => goClient('fsck', GO_CLIENTS.fsck),
    python: () => pythonClient(PYTHON_CLIENTS.python),
    moto: () => pythonClient(PYTHON_CLIENTS.moto),
    jsCli,
    openssl: () => systemTool('openssl'),
  }
  const found = {}
  const missing = {}
  for (const [name, bring] of Object.entries(wanted)) {
    if (names !== undefined && !names.includes(name)) continue
    progress(name)
    try {
      found[name] = await bring()
    } catch (error) {
      const why = error.code === 'ENOENT' ? `${error.path} is not installed` : error.stderr || error.message
      missing[name] = String(why).trim().split('\n').at(-1).slice(0, 200)
    }
  }
  return { found, missing }
}
