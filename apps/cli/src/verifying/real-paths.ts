import { realpathSync } from 'node:fs'
import { basename, dirname, relative, resolve, sep } from 'node:path'

/**
 * Where files really are: the links of the folders on the way are followed, as the system does when it opens them, and the last name stays. Each folder
 * is looked up once.
 */
export class RealPaths {
  readonly #folders = new Map<string, string | undefined>()

  /** The whole path; undefined when there is no such folder. */
  of(named: string): string | undefined {
    const name = basename(named)
    // Their last name is no name of a file.
    if (name === '' || name === '.' || name === '..') return this.#folder(named)
    const folder = this.#folder(dirname(named))
    return folder === undefined ? undefined : resolve(folder, name)
  }

  /** The path from the current folder, with slashes; the whole path of what lies outside. Where there is no such folder: as its name says. */
  fromHere(named: string): string {
    const whole = this.of(named) ?? resolve(named)
    const inside = relative(process.cwd(), whole)
    const path = inside === '' || inside === '..' || inside.startsWith(`..${sep}`) ? whole : inside
    return sep === '/' ? path : path.replaceAll(sep, '/')
  }

  #folder(path: string): string | undefined {
    if (!this.#folders.has(path)) this.#folders.set(path, realFolder(path))
    return this.#folders.get(path)
  }
}

function realFolder(path: string): string | undefined {
  try {
    // Not `realpathSync` itself, which takes `link/..` away before it looks.
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}
