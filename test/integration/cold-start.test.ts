import { describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// What a cold `touchmark verify` costs is what it loads (docs/design/performance.md): few files, none of Node's network, and code that V8 has kept.

const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'apps', 'cli', 'bin')
const warmUp = join(root, 'tools', 'warm-up', 'v2')
const VERIFY = [
  'verify',
  join(warmUp, 'a.txt'),
  '--trusted-root',
  join(warmUp, 'trusted_root.json'),
  '--certificate-identity',
  'dev@example.com',
  '--certificate-oidc-issuer',
  'http://localhost:41055/oidc',
]

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'touchmark-cold-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(nodeArgs: readonly string[], args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const env = { ...process.env, NODE_OPTIONS: '', ...environment }
  return execFileSync(process.execPath, [...nodeArgs, ...args], { env, encoding: 'utf8' })
}

/** Every script that V8 ran for a command, relative to the repository. */
function scriptsOf(args: readonly string[]): string[] {
  return inFolder((folder) => {
    run([join(bin, 'touchmark.mjs')], args, { NODE_V8_COVERAGE: folder })
    const reports = readdirSync(folder).map(
      (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] },
    )
    const urls = reports.flatMap(({ result }) => result.map(({ url }) => url))
    const paths = urls.flatMap((url) =>
      url.startsWith('file:') ? [fileURLToPath(url)] : url.startsWith('/') ? [url] : [],
    )
    return [...new Set(paths)].map((path) => relative(root, path)).sort()
  })
}

describe('a cold start', () => {
  it('of verify reads four files', () => {
    expect(scriptsOf(VERIFY).filter((path) => !path.startsWith('apps/cli/bin/dist/'))).toEqual([
      'apps/cli/bin/load.mjs',
      'apps/cli/bin/touchmark.mjs',
    ])
  })

  it('of verify runs the flags and the one command', () => {
    const script = `import { load, loaded } from ${JSON.stringify(pathToFileURL(join(bin, 'load.mjs')).href)}
      await load('main.cjs').main(process.argv.slice(1))
      console.log(JSON.stringify([...loaded].map(([name, { script }]) => [name, script.cachedDataRejected])))`
    const lines = run(['--input-type=module', '-e', script, '--'], VERIFY).trim().split('\n')
    // False: V8 took the code that was kept when the bundle was made.
    expect(JSON.parse(lines.at(-1)!)).toEqual([
      ['main.cjs', false],
      ['commands-verify.cjs', false],
    ])
  })

  it('of verify loads nothing of the network, of other processes or of threads', () => {
    inFolder((folder) => {
      const [preload, list] = [join(folder, 'preload.cjs'), join(folder, 'list.json')]
      writeFileSync(
        preload,
        `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify(process.moduleLoadList)))`,
      )
      // Without a pipe to write to, for which Node needs a socket.
      const env = { ...process.env, NODE_OPTIONS: '' }
      execFileSync(process.execPath, ['--require', preload, join(bin, 'touchmark.mjs'), ...VERIFY], {
        env,
        stdio: 'ignore',
      })
      const loaded = JSON.parse(readFileSync(list, 'utf8')) as string[]
      const names = ['http', 'https', 'http2', 'tls', 'net', 'dgram', 'dns', 'child_process', 'worker_threads', 'zlib']
      expect(loaded.filter((name) => names.includes(name.replace('NativeModule ', '')))).toEqual([])
      expect(loaded.filter((name) => name.includes('undici'))).toEqual([])
    })
  })

  it('runs the same code when V8 refuses what was kept', () => {
    expect(run(['--no-opt', join(bin, 'touchmark.mjs')], VERIFY)).toMatch(/^verified /)
  })
})
