import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, dirname, sep } from 'node:path'
import { CliError } from '../errors.js'
import { exists } from '../files.js'
import { digestOf, isDigest, type ArtifactSource } from './artifact.js'
import { filesBelow } from './folder.js'
import { RealPaths } from './real-paths.js'
import { matchesPattern, whyNoPattern } from './policy-file/patterns.js'
import type { Ask } from './policy-file/rules.js'

/** One artifact and the bundles that are held against it. */
export interface Subject extends ArtifactSource {
  /** How a policy sees it: the path from the current folder with slashes, the digest, or the whole path of what lies outside of the current folder. */
  readonly path: string
  /** At least one; the first may not be there. */
  readonly bundles: readonly string[]
  /** The person named the bundle too. */
  readonly bundleNamed: boolean
  readonly sizeBytes: number
  /** Why it cannot be verified at all: found in a folder, and no file. */
  readonly refused?: string
}

export interface SubjectOptions {
  /** The bundle of the one artifact. */
  readonly bundle?: string
  /** Patterns of files that are left out. */
  readonly exclude?: readonly string[]
}

export interface Subjects {
  readonly subjects: readonly Subject[]
  /** How many files `--exclude` left out. */
  readonly excluded: number
}

const SUFFIX = { signature: '.sigstore.json', attestation: '.att.sigstore.json' } as const
const MOST_ATTESTATIONS = 64

/** True for the name of a bundle, also as older clients write it. */
export function isBundleName(name: string): boolean {
  return /\.sigstore(\.json)?$/.test(name)
}

/**
 * What is to be verified: the files and digests that were named, and for a folder every file below it that is no bundle. A bundle that was named beside its
 * own file (`dist/*`) is not taken for a file. Throws CLI_USAGE, CLI_FILE_UNREADABLE, CLI_NOTHING_TO_VERIFY.
 */
export async function findSubjects(named: readonly string[], ask: Ask, options: SubjectOptions): Promise<Subjects> {
  const { bundle, exclude = [] } = options
  for (const pattern of exclude) {
    const why = whyNoPattern(pattern)
    if (why !== undefined) throw new CliError('CLI_USAGE', `--exclude ${pattern}: ${why}`)
  }
  for (const one of named) if (isDigest(one)) await checkDigest(one, bundle)
  if (bundle !== undefined && (named.length > 1 || (await isFolder(named[0]!))))
    throw new CliError('CLI_USAGE', '--bundle goes with one file')
  const real = new RealPaths()
  const found = new Map<string, Found>()
  for (const one of withoutTheirBundles(named)) {
    for (const file of await expand(one)) {
      const key = (file.digest === undefined ? real.of(file.named) : undefined) ?? file.named
      if (!found.has(key)) found.set(key, file)
    }
  }
  const all = [...found.values()].map((file) => ({
    ...file,
    path: file.digest === undefined ? real.fromHere(file.named) : file.named,
  }))
  const kept = all.filter(({ path }) => !exclude.some((pattern) => matchesPattern(pattern, path)))
  if (kept.length === 0)
    throw new CliError('CLI_NOTHING_TO_VERIFY', 'there is nothing to verify', {
      expected: 'at least one file that is no bundle',
      found: all.length === 0 ? 'none' : `${all.length} files, all of them left out by --exclude`,
      hint: 'Name the files or the folder that were signed. Nothing verified is no success.',
    })
  const lists = new FolderLists()
  const subjects: Subject[] = []
  for (const file of kept) {
    const bundles = bundle !== undefined ? [bundle] : await bundlesOf(file.named, ask, lists)
    subjects.push({ ...file, bundles, bundleNamed: bundle !== undefined })
  }
  return { subjects, excluded: all.length - kept.length }
}

interface Found extends ArtifactSource {
  readonly sizeBytes: number
  readonly refused?: string
}

/** What has the form of a digest is one. Where a file has that very name nobody can know which of the two was meant. */
async function checkDigest(named: string, bundle: string | undefined): Promise<void> {
  digestOf(named)
  const file = await lstat(named).catch(() => undefined)
  if (file !== undefined)
    throw new CliError('CLI_USAGE', `${named.slice(0, 150)} is a digest, and there is a file of that name`, {
      hint: `Write .${sep}${named.slice(0, 150)} for the file; for the digest, run the command in another folder.`,
    })
  if (bundle === undefined)
    throw new CliError('CLI_USAGE', 'a digest says nothing about where its bundle is: pass --bundle FILE')
}

/** `touchmark verify dist/*` names bundles and files alike. */
function withoutTheirBundles(named: readonly string[]): string[] {
  const files = new Set(named)
  return named.filter((one) => {
    const artifact = /^(.*?)(\.att)?\.sigstore(\.json)?$/.exec(one)?.[1]
    return artifact === undefined || !files.has(artifact)
  })
}

async function isFolder(path: string): Promise<boolean> {
  if (isDigest(path)) return false
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() === true
}

async function expand(named: string): Promise<Found[]> {
  if (isDigest(named)) return [{ named, digest: digestOf(named), sizeBytes: 0, chosen: 'named' }]
  const found = await stat(named).catch(() => undefined)
  if (!found?.isDirectory()) return [{ named, sizeBytes: found?.size ?? 0, chosen: 'named' }]
  return (await filesBelow(named))
    .filter((file) => !isBundleName(file.named))
    .map((file) => ({ ...file, chosen: 'found' }))
}

/** How a policy sees an artifact as a person names it on the command line. */
export function policyPath(argument: string): string {
  return isDigest(argument) ? argument : new RealPaths().fromHere(argument)
}

/** What lies in each folder, read once. */
class FolderLists {
  readonly #lists = new Map<string, readonly string[]>()

  async names(folder: string): Promise<readonly string[]> {
    let names = this.#lists.get(folder)
    if (names === undefined) {
      // A folder that cannot be listed: the bundle's own name is tried all the same.
      names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(SUFFIX.attestation)).sort()
      this.#lists.set(folder, names)
    }
    return names
  }
}

/** `FILE.sigstore.json`; of attestations also `FILE.NAME.att.sigstore.json`, where NAME has no dot and FILE.NAME is no file of its own. */
async function bundlesOf(named: string, ask: Ask, lists: FolderLists): Promise<string[]> {
  const first = `${named}${SUFFIX[ask]}`
  if (ask === 'signature') return [first]
  const folder = dirname(named)
  const own = `${basename(named)}.`
  const found: string[] = []
  for (const name of await lists.names(folder)) {
    const middle = name.startsWith(own) ? name.slice(own.length, -SUFFIX.attestation.length) : ''
    if (middle === '' || middle.includes('.') || (await exists(`${named}.${middle}`))) continue
    found.push(`${named}${name.slice(basename(named).length)}`)
  }
  const all = (await exists(first)) || found.length === 0 ? [first, ...found] : found
  if (all.length <= MOST_ATTESTATIONS) return all
  throw new CliError('CLI_USAGE', `${named} has more than ${MOST_ATTESTATIONS} attestations beside it`, {
    found: String(all.length),
    hint: 'Name the one that counts with --bundle.',
  })
}
