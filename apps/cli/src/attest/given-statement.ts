import { parseStatement, type Statement, type StatementSubject } from '@touchmark/bundle'
import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'
import { IN_TOTO_HASHES, type Subject } from '../statement.js'
import { checkSchema } from './check-schema.js'
import { STATEMENT_LIMIT_BYTES } from './limits.js'
import { digestsOf } from './subjects.js'

export interface GivenStatement {
  /** What is signed: the file's bytes, whatever white space and order of members they have. */
  readonly payload: Uint8Array
  /** What its bundle is verified against before it is written. */
  readonly artifact: Subject
}

const HASHES: readonly (readonly [Subject['algorithm'], string])[] = Object.entries(IN_TOTO_HASHES) as [
  Subject['algorithm'],
  string,
][]

/**
 * Reads a whole statement. Each artifact that was named must be one of its subjects: with a digest that is equal, and none that differs. Its predicate is
 * held against the schema of its type, unless `schema` is false. Throws CLI_FILE_UNREADABLE, CLI_STATEMENT_INVALID, CLI_PREDICATE_INVALID.
 */
export async function readStatement(file: string, named: readonly string[], schema: boolean): Promise<GivenStatement> {
  const payload = await readInput(file, STATEMENT_LIMIT_BYTES)
  const statement = parse(file, payload)
  const wanted = new Set(statement.subjects.flatMap(({ digest }) => [...digest.keys()]))
  const found: Subject[] = []
  for (const one of named) found.push(findSubject(one, await digestsOf(one, wanted), statement.subjects))
  const artifact = found[0] ?? firstOf(statement.subjects)
  if (artifact === undefined)
    throw new CliError('CLI_STATEMENT_INVALID', 'no subject of the statement has a digest that can be verified', {
      expected: HASHES.map(([, name]) => name).join(', '),
      found: [...wanted].slice(0, 8).join(', ') || 'none',
    })
  if (schema && statement.predicate !== undefined) await checkSchema(statement.predicateType, statement.predicate)
  return { payload, artifact }
}

function parse(file: string, payload: Uint8Array): Statement {
  try {
    return parseStatement(payload)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CliError('CLI_STATEMENT_INVALID', `${file} is no in-toto statement`, {
      cause,
      expected: 'an in-toto statement v0.1 or v1, as strict JSON',
      found: cause.details.found ?? cause.message,
    })
  }
}

function findSubject(
  named: string,
  digests: ReadonlyMap<string, Subject>,
  subjects: readonly StatementSubject[],
): Subject {
  for (const { digest } of subjects) {
    const compared = [...digests].flatMap(([name, own]) => {
      const claimed = digest.get(name)
      return claimed === undefined ? [] : [{ own, equal: equalBytes(claimed, own.digest) }]
    })
    if (compared.length > 0 && compared.every(({ equal }) => equal)) return compared[0]!.own
  }
  throw new CliError('CLI_STATEMENT_INVALID', `the statement is not about ${named}`, {
    expected: 'a subject with a digest of this file, and none of another',
    found: `${subjects.length} subjects that are something else`,
    hint: 'Make the statement again for the file as it is now, or name the file that it is about.',
  })
}

function firstOf(subjects: readonly StatementSubject[]): Subject | undefined {
  for (const { name, digest } of subjects)
    for (const [algorithm, inToto] of HASHES) {
      const claimed = digest.get(inToto)
      if (claimed !== undefined) return { name, algorithm, digest: claimed }
    }
  return undefined
}
