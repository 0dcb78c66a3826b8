// Bundles the specs of some libs, and all of ours that they import, into one CommonJS file: what a mutant run loads anew takes milliseconds this way.
// Runs inside Stryker's copy of the repository, over instrumented sources: `node test/mutation/parts/bundle-specs.mjs libs/merkle/src … [--without=fuzz.spec.ts]`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { BUNDLE, EXTERNALS } from './specs-files.mjs'

/** Where jest.config.mjs finds the workspace packages: their sources. */
function sourceOf(name) {
  const [, lib, adapter] = /^@touchmark\/([^/]+)(?:\/(node|noble))?$/.exec(name)
  return `libs/${lib}/src/${adapter === undefined ? '' : `${adapter}/`}index.ts`
}

const ours = {
  name: 'ours',
  setup(build) {
    build.onResolve({ filter: /^@touchmark\// }, ({ path }) => ({ path: join(process.cwd(), sourceOf(path)) }))
    build.onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true },
    )
    // Of ours alone: node_modules are external.
    build.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => ({
      loader: path.endsWith('.ts') ? 'ts' : 'js',
      contents: readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
    }))
  },
}

const without = process.argv
  .filter((word) => word.startsWith('--without='))
  .map((word) => word.slice('--without='.length))
const specs = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('--'))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((file) => file.endsWith('.spec.ts') && !without.includes(file))
      .sort()
      .map((file) => `${folder}/${file}`),
  )
const { metafile } = await build({
  stdin: {
    // One block a file, so that a test is known by its file and its name.
    contents: [
      "require('./test/setup/to-throw-code.ts')",
      ...specs.map(
        (file) => `globalThis.describe(${JSON.stringify(file)}, () => { require(${JSON.stringify(`./${file}`)}) })`,
      ),
    ].join('\n'),
    resolveDir: process.cwd(),
    sourcefile: 'specs.cjs',
  },
  outfile: BUNDLE,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'es2023',
  metafile: true,
  logLevel: 'error',
  tsconfigRaw: { compilerOptions: { target: 'es2023', useDefineForClassFields: true, verbatimModuleSyntax: true } },
  plugins: [ours],
})
const externals = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
writeFileSync(EXTERNALS, JSON.stringify([...new Set(externals)]))
