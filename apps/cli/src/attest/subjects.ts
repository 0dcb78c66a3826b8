import { basename } from 'node:path'
import { CliError } from '../errors.js'
import { hashFile } from '../files.js'
import { IN_TOTO_HASHES, type Subject } from '../statement.js'
import { digestOf, isDigest } from '../verifying/artifact.js'

/** As many as verifiers read. */
const MOST_SUBJECTS = 4096

/** An artifact as it was named on the command line. */
export interface NamedSubject extends Subject {
  /** A path, or `sha256:<hex>`. */
  readonly named: string
}

/** Refuses what cannot be meant, before any file is read. Throws CLI_USAGE. */
export function checkNames(named: readonly string[], name: string | undefined): void {
  if (named.length > MOST_SUBJECTS)
    throw new CliError('CLI_USAGE', `more than ${MOST_SUBJECTS} files in one command`, { found: String(named.length) })
  const twice = named.find((one, at) => named.indexOf(one) !== at)
  if (twice !== undefined) throw new CliError('CLI_USAGE', `${twice} is named twice`)
  if (name !== undefined && named.length !== 1) throw new CliError('CLI_USAGE', '--name goes with one file or digest')
  if (name === undefined && named.some(isDigest))
    throw new CliError('CLI_USAGE', 'a digest says nothing about what it is of: pass --name NAME', {
      hint: 'The name is for people; what is verified is the digest.',
    })
}

/** What a statement is to be about: files by their SHA-256, a piece at a time, or digests as given. Throws CLI_USAGE, CLI_FILE_UNREADABLE. */
export async function readSubjects(named: readonly string[], name: string | undefined): Promise<NamedSubject[]> {
  const subjects: NamedSubject[] = []
  for (const one of named) {
    const artifact = isDigest(one)
      ? digestOf(one)
      : { digest: await hashFile(one, 'sha256'), algorithm: 'SHA2_256' as const }
    const { digest, algorithm } = artifact
    subjects.push({ named: one, name: name ?? basename(one), digest, algorithm })
  }
  return subjects
}

/** Names that tell the subjects of one statement apart: where two files have the same base name, their paths. */
export function distinctNames(subjects: readonly NamedSubject[]): Subject[] {
  const count = new Map<string, number>()
  for (const { name } of subjects) count.set(name, (count.get(name) ?? 0) + 1)
  return subjects.map((one) => (count.get(one.name) === 1 ? one : { ...one, name: one.named }))
}

/** Digests of a named artifact by in-toto's names: those of `wanted` that can be known. */
export async function digestsOf(named: string, wanted: ReadonlySet<string>): Promise<Map<string, Subject>> {
  const digests = new Map<string, Subject>()
  if (isDigest(named)) {
    const given = digestOf(named)
    digests.set(IN_TOTO_HASHES[given.algorithm], { name: named, ...given })
    return digests
  }
  for (const [algorithm, inToto] of Object.entries(IN_TOTO_HASHES) as [Subject['algorithm'], 'sha256'][])
    if (wanted.has(inToto)) digests.set(inToto, { name: named, algorithm, digest: await hashFile(named, inToto) })
  return digests
}
