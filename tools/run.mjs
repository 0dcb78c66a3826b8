// What stands behind `npm start`, `npm run demo`, `npm test` and `npm run test:interop`: installs and builds when needed, then runs.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** True when every package of the lock file (for this platform) is in node_modules in the locked version. */
function installed(withDev) {
  const done = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(done)) return false
  const have = JSON.parse(readFileSync(done, 'utf8')).packages
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  return Object.entries(want).every(([path, { version, dev, optional, devOptional, peer, link }]) => {
    if (!path.startsWith('node_modules/') || optional || peer || link || ((dev || devOptional) && !withDev)) return true
    return have[path]?.version === version
  })
}

function install(withDev) {
  if (installed(withDev)) return
  const started = performance.now()
  process.stderr.write(`installing packages${withDev ? '' : ' (without development tools)'} …\n`)
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(withDev ? [] : ['--omit=dev'])]
  const { status } = spawnSync('npm', args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    process.stderr.write('the packages could not be installed: run `npm ci` to see why\n')
    process.exit(1)
  }
  process.stderr.write(`installed in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}

async function prepare(withDev) {
  install(withDev)
  const { build } = await import('./build.mjs')
  await build()
}

function node(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  })
}

const PROJECTS = ['unit', 'integration', 'e2e', 'fault']

async function test(projects, rest) {
  await prepare(true)
  const folder = mkdtempSync(join(tmpdir(), 'touchmark-test-'))
  const results = join(folder, 'results.json')
  const args = [
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    ...projects,
    '--json',
    '--outputFile',
    results,
    ...rest,
  ]
  const code = await node(args, {
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`,
  })
  const {
    numPassedTests = 0,
    numFailedTests = 1,
    numFailedTestSuites = 1,
  } = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : {}
  rmSync(folder, { recursive: true, force: true })
  console.log(`${numPassedTests} passed, ${Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0)} failed`)
  return code === 0 && numPassedTests === 0 ? 1 : code
}

const [command, ...rest] = process.argv.slice(2)
switch (command) {
  case 'start':
    await prepare(existsSync(join(root, 'node_modules', 'jest')))
    // In this process, so that a signal to it is a signal to the stack.
    await (await import('../apps/cli/dist/main.js')).main(['up', ...rest])
    break
  case 'demo':
    await prepare(existsSync(join(root, 'node_modules', 'jest')))
    process.exitCode = await node(['apps/cli/dist/demo/main.js', ...rest])
    break
  case 'test': {
    const chosen = PROJECTS.includes(rest[0]) ? [rest.shift()] : PROJECTS
    process.exitCode = await test(chosen, rest)
    break
  }
  case 'fault':
    process.env.TOUCHMARK_KILLS ??= '100'
    process.env.TOUCHMARK_FAULT_MINUTES ??= '10'
    process.exitCode = await test(['fault'], rest)
    break
  case 'bench':
    await prepare(true)
    process.exitCode = await node(['test/bench/run.mjs', ...rest])
    break
  case 'bench:log':
    await prepare(true)
    process.exitCode = await node(['test/bench/log.mjs', ...rest])
    break
  case 'bench:fill':
    await prepare(true)
    process.exitCode = await node(['test/bench/fill.mjs', ...rest])
    break
  case 'bench:floods':
    await prepare(true)
    process.exitCode = await node(['test/bench/floods.mjs', ...rest])
    break
  case 'mutation':
    await prepare(true)
    process.exitCode = await node(['test/mutation/run.mjs', ...rest])
    break
  case 'fuzz':
    await prepare(true)
    process.exitCode = await node(['test/fuzz/run.mjs', ...rest])
    break
  case 'docs:samples':
    await prepare(true)
    process.exitCode = await node(['tools/docs-samples.mjs', ...rest])
    break
  case 'interop':
    await prepare(true)
    process.exitCode = await node(['test/interop/run.mjs', ...rest])
    break
  case 'browser':
    await prepare(true)
    process.exitCode = await node(['test/browser/run.mjs', ...rest])
    break
  case 'differential':
    await prepare(true)
    process.exitCode = await node(['test/differential/run.mjs', ...rest])
    break
  case 'bench:verify':
    await prepare(true)
    process.exitCode = await node(['test/bench/verify.mjs', ...rest])
    break
  default:
    console.error(
      'usage: node tools/run.mjs start|demo|test|fault|fuzz|mutation|differential|interop|browser|bench|bench:log|bench:fill|bench:floods|bench:verify [options]',
    )
    process.exitCode = 2
}
