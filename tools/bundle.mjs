// The command line as few files: Node spends more time on finding and reading 150 small modules than on running them. Each command is one file with
// the libs it uses; main.cjs, which knows the flags, loads the one that is asked for. Files share no state: each has its own copy of a module. The server is in none of them: `up` and its kind load
// @touchmark/app-standalone from its dist folder, so code of both meets in one process (libs/errors says how an error of the one is known to the other).
import { build as esbuild } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cli = join(root, 'apps', 'cli', 'src')
export const bundleFolder = join(root, 'apps', 'cli', 'bin', 'dist')
const entry = join(bundleFolder, 'main.cjs')

/** npm packages that become part of the bundle; all others are loaded from node_modules by the file that needs them. */
const INCLUDED = /^(commander|@noble\/[a-z]+|aws4fetch)(\/|$)/

/** A file whose name ends so is the code of a worker thread, which `new Worker(new URL('./x-thread.js', import.meta.url))` finds beside the command. */
const THREAD = /-thread\.ts$/

/** `import('../commands/x.js')`. */
const LATE = /import\('(\.{1,2}\/[\w./-]+)\.js'\)/g

/** Ed25519ph is rare, and reading and making its curve takes longer than a verification: a file of its own, read at first use. */
const ED25519 = `let made
const curve = () => (made ??= process.getBuiltinModule('node:module').createRequire(ownUrl)('./ed25519.cjs').ed25519)
export const ed25519 = { get Point() { return curve().Point }, get utils() { return curve().utils } }`

/** What commander requires of Node, without loading child_process (and with it the network) before anybody asks for a process. */
const nodeModule = (path) =>
  path === 'node:child_process'
    ? `exports.spawn = (...args) => process.getBuiltinModule('${path}').spawn(...args)`
    : `module.exports = process.getBuiltinModule('${path}')`

function place(path) {
  return relative(cli, path).replace(/\.ts$/, '').split(sep).join('-')
}

const packages = {
  name: 'packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, kind, importer }) => {
      // A part that is loaded late is a file of its own, with its own copy of what it imports.
      if (kind !== 'dynamic-import') return undefined
      return { path: `./${place(join(dirname(importer), path)).replace(/\.js$/, '')}.cjs`, external: true }
    })
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer, namespace }) => {
      if (kind === 'entry-point') return undefined
      if (path.startsWith('node:')) {
        if (kind === 'require-call') return { path, namespace: 'node' }
        return { path, external: true, sideEffects: false }
      }
      if (path === '@noble/curves/ed25519.js' && namespace === 'file' && importer.includes(`${sep}libs${sep}`))
        return { path, namespace: 'late', sideEffects: false }
      if (INCLUDED.test(path)) return undefined
      const [, lib, sub] = /^@touchmark\/(?!app-)([^/]+)(?:\/(.+))?$/.exec(path) ?? []
      if (lib === undefined) return { path, external: true }
      return { path: join(root, 'libs', lib, 'src', sub ?? '', 'index.ts'), sideEffects: false }
    })
    onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => ({ contents: nodeModule(path) }))
    onLoad({ filter: /.*/, namespace: 'late' }, () => ({ contents: ED25519 }))
  },
}

/** The files that become files of the bundle, by their names there: main, what is loaded late (tests aside), threads. */
function entryPoints(sources) {
  const ours = sources.filter((path) => path.startsWith(cli + sep) && !/[\\/](testing|demo)[\\/]/.test(path))
  const late = ours.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(LATE)].map(([, path]) => join(dirname(file), `${path}.ts`)),
  )
  const threads = sources.filter((path) => THREAD.test(path)).map((path) => [basename(path, '.ts'), path])
  return Object.fromEntries([['main', join(cli, 'main.ts')], ...late.map((path) => [place(path), path]), ...threads])
}

const CURVE = createRequire(join(root, 'libs', 'crypto', 'package.json')).resolve('@noble/curves/ed25519.js')

const settings = {
  absWorkingDir: root,
  outdir: bundleFolder,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  // As it is read in the sources: a stack names functions and lines that a person can look up.
  minify: false,
  legalComments: 'none',
  // What load.mjs hands to each file. Within it, import() of a file or a package is a call of importLate.
  banner: { js: '(function (module, exports, require, importLate, ownUrl) {' },
  footer: { js: '})' },
  define: { 'import.meta.url': 'ownUrl' },
  plugins: [packages],
  logLevel: 'silent',
  write: false,
}

/**
 * Each command by itself, so that all it needs is one file. A command that is being worked on, and does not build, does not stop the others: they are
 * written, and the failure is thrown.
 */
async function outputs(sources) {
  const points = Object.entries(entryPoints(sources)).map((point) => ({ entryPoints: Object.fromEntries([point]) }))
  const ed25519 = { entryPoints: { ed25519: CURVE }, banner: {}, footer: {} }
  const builds = await Promise.allSettled([...points, ed25519].map((one) => esbuild({ ...settings, ...one })))
  const made = builds
    .flatMap(({ value }) => value?.outputFiles ?? [])
    .map(({ path, text }) => ({ path, text: finished(path, text) }))
  const stubs = made.filter(({ path }) => path.endsWith('-thread.cjs')).map(({ path }) => threadStub(path))
  const files = [...stubs, ...made]
  const failure = builds.find(({ status }) => status === 'rejected')
  if (failure === undefined) return files
  write(files)
  // Not up to date: the next build tries again.
  if (existsSync(entry)) utimesSync(entry, 0, 0)
  throw failure.reason
}

function finished(path, text) {
  if (path.endsWith('ed25519.cjs')) return text
  const late = text.replaceAll(/\bimport\((?=["'])/g, 'importLate(')
  // The name of the build, for load.mjs.
  return `/*${createHash('sha256').update(late).digest('hex').slice(0, 32)}*/${late}`
}

function threadStub(path) {
  const text = `import { load } from '../load.mjs'\nload('${basename(path)}')\n`
  return { path: path.replace(/\.cjs$/, '.js'), text }
}

/** V8's code of what a verification runs, beside the files (load.mjs). Without it they only start slower, so a failure is told and no more. */
function keepCode() {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools', 'code-cache.mjs')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0) process.stderr.write(`no code is kept for the next start:\n${stderr}\n`)
}

/** Each file is whole at any moment. */
function write(files) {
  mkdirSync(bundleFolder, { recursive: true })
  for (const { path, text } of files) {
    const next = `${path}.${process.pid}`
    writeFileSync(next, text)
    renameSync(next, path)
  }
}

/** Makes the bundle from TypeScript sources when one of them is newer than it; true when it was made. */
export async function bundle(sources) {
  const inputs = [...sources, fileURLToPath(import.meta.url), join(root, 'package-lock.json')]
  const newest = Math.max(...inputs.map((path) => statSync(path).mtimeMs))
  if (existsSync(entry) && statSync(entry).mtimeMs >= newest) return false
  const files = await outputs(sources)
  // The age of main.cjs says whether to build, so it comes last.
  write([...files].sort((a, b) => Number(a.path === entry) - Number(b.path === entry)))
  const wanted = new Set(files.map(({ path }) => path))
  for (const name of readdirSync(bundleFolder))
    if (!wanted.has(join(bundleFolder, name))) rmSync(join(bundleFolder, name), { force: true })
  keepCode()
  return true
}
