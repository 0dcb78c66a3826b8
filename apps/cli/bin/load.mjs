// Runs the files that tools/bundle.mjs makes of the command line. Beside such a file may lie the code that V8 has made of it before, on the same version
// of Node (NAME.code): with it nothing is compiled at the start, which is most of the time that a short command takes.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Script } from 'node:vm'

const folder = fileURLToPath(new URL('./dist/', import.meta.url))
const require = createRequire(import.meta.url)

/** What has been run in this process, by name. */
export const loaded = new Map()

/** Both files begin with the name of the build: V8 looks only at the length of a source, so that code of another build could pass. */
export const ID_BYTES = 36

/** The exports of a file of the bundle, which is run the first time. */
export function load(name) {
  const known = loaded.get(name)
  if (known !== undefined) return known.module.exports
  const path = folder + name
  const source = readFileSync(path, 'latin1')
  const script = new Script(source, { filename: path, cachedData: codeFor(path, source) })
  const module = { exports: {} }
  loaded.set(name, { module, script, id: source.slice(0, ID_BYTES) })
  script.runInThisContext()(module, module.exports, require, importLate, pathToFileURL(path).href)
  return module.exports
}

function codeFor(path, source) {
  let code
  try {
    code = readFileSync(`${path}.code`)
  } catch {
    return undefined
  }
  return code.latin1Slice(0, ID_BYTES) === source.slice(0, ID_BYTES) ? code.subarray(ID_BYTES) : undefined
}

/** What `import()` is in the bundle: for another of its files, or a package. */
async function importLate(specifier) {
  return specifier.startsWith('./') ? load(specifier.slice(2)) : import(specifier)
}
