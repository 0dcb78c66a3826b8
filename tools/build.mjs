// Compiles every workspace package from TypeScript to its dist/ folder with SWC, and bundles the command line (bundle.mjs): about a second, no type
// check (npm run types does that). A file is compiled again only when it is newer than what was made from it.
import { transformFile } from '@swc/core'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The SWC settings, shared with Jest so that tests run what ships. */
export const swcOptions = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2023',
  },
  module: { type: 'es6' },
}

/** Where the command line's own code is. */
const BUNDLED = /^(libs|apps[\\/]cli)[\\/]/

function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return ['dist', 'node_modules'].includes(entry.name) ? [] : sources(path)
    return /(?<!\.spec|\.d)\.ts$/.test(entry.name) ? [path] : []
  })
}

function packages() {
  const below = ['libs', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(root, group, name)),
  )
  const withSource = below
    .filter((dir) => existsSync(join(dir, 'src')))
    .map((dir) => ({ from: join(dir, 'src'), to: join(dir, 'dist') }))
  return [...withSource, { from: join(root, 'migrations'), to: join(root, 'migrations', 'dist') }]
}

function staleOutputs(to, wanted) {
  if (!existsSync(to)) return []
  const all = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return all.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !wanted.has(path))
}

/** Compiles what changed; returns how many files that were. */
export async function build() {
  let compiled = 0
  for (const { from, to } of packages()) {
    const wanted = new Set()
    for (const source of sources(from)) {
      const target = join(to, relative(from, source)).replace(/\.ts$/, '.js')
      wanted.add(target)
      if (existsSync(target) && statSync(target).mtimeMs >= statSync(source).mtimeMs) continue
      const { code } = await transformFile(source, { ...swcOptions, swcrc: false, configFile: false })
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, code)
      compiled++
    }
    for (const path of staleOutputs(to, wanted)) rmSync(path)
  }
  await bundle(packages().flatMap(({ from }) => (BUNDLED.test(relative(root, from)) ? sources(from) : [])))
  return compiled
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now()
  const compiled = await build()
  console.log(`built: ${compiled} files in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
