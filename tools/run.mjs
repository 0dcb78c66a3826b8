// What stands behind the scripts of package.json: installs and builds when needed, then runs. `npm run NAME -- --help` says what a bench or a test suite can do.
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

/** Scripts of their own. The comment at the head of each is its help. */
const SCRIPTS = {
  bench: 'test/bench/run.mjs',
  'bench:fill': 'test/bench/fill.mjs',
  'bench:floods': 'test/bench/floods.mjs',
  'bench:log': 'test/bench/log.mjs',
  'bench:verify': 'test/bench/verify.mjs',
  browser: 'test/browser/run.mjs',
  differential: 'test/differential/run.mjs',
  'docs:samples': 'tools/docs-samples.mjs',
  fuzz: 'test/fuzz/run.mjs',
  interop: 'test/interop/run.mjs',
  mutation: 'test/mutation/run.mjs',
}

/** The lines of comment that a script begins with. */
function helpOf(script) {
  const lines = readFileSync(join(root, script), 'utf8').split('\n')
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('//')),
    )
    .map((line) => line.replace(/^\/\/ ?/, ''))
}

async function runScript(script, rest) {
  if (rest.includes('--help')) {
    console.log(helpOf(script).join('\n'))
    return 0
  }
  await prepare(true)
  return node([script, ...rest])
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
  default:
    if (Object.hasOwn(SCRIPTS, command ?? '')) process.exitCode = await runScript(SCRIPTS[command], rest)
    else {
      console.error(`usage: node tools/run.mjs start|demo|test|fault|${Object.keys(SCRIPTS).join('|')} [options]`)
      process.exitCode = 2
    }
}
