import { utf8Decode } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { exists, writeWhole } from '../files.js'
import type { VerifyAttestationOptions } from '../commands/verify.js'
import { readDemand } from './demand.js'
import { judge, type Judgement } from './judge.js'
import { failed, succeeded } from './outcome.js'
import { report } from './report.js'
import { findSubjects } from './subjects.js'
import { statementsOf } from './verified-statement.js'

/**
 * Verifies the attestation of one file and writes what was signed, byte for byte (reliability.md V7): the statement, its predicate, or both. Nothing is
 * written unless exactly one attestation holds, and nothing is overwritten. Throws CLI_USAGE, CLI_FILE_EXISTS, CLI_FILE_UNWRITABLE.
 */
export async function verifyAndWrite(
  context: CliContext,
  files: readonly string[],
  options: VerifyAttestationOptions,
): Promise<void> {
  const { statementOut, predicateOut } = options
  const { subjects, excluded } = await findSubjects(files, 'attestation', options)
  const [subject, ...others] = subjects
  if (subject === undefined || others.length > 0)
    throw new CliError('CLI_USAGE', '--statement-out and --predicate-out go with one file')
  for (const path of [statementOut, predicateOut]) if (path !== undefined) await refuseExisting(path)
  const demand = await readDemand(context, 'attestation', options)
  let judgement: Judgement
  try {
    judgement = await judge(subject, demand)
  } catch (error) {
    const outcome = failed(subject.named, error)
    report(context, [outcome], excluded)
    process.exitCode = outcome.exitCode
    return
  }
  await write(judgement, options)
  report(context, [succeeded(subject.named, judgement, demand)], excluded)
}

async function write(judgement: Judgement, { statementOut, predicateOut }: VerifyAttestationOptions): Promise<void> {
  const [{ payload, predicate }, ...more] = statementsOf(judgement)
  if (more.length > 0)
    throw new CliError('CLI_USAGE', `${more.length + 1} attestations of this file hold, and one can be written`, {
      expected: 'one attestation',
      found: judgement.proofs.map(({ bundle }) => bundle).join(', '),
      hint: 'Choose one with --bundle, or narrow them down with --type.',
    })
  if (predicateOut !== undefined && predicate === undefined)
    throw new CliError('CLI_USAGE', 'the statement has no predicate that could be written')
  // The bytes are those of strict JSON in UTF-8, so that text and bytes are the same thing.
  if (statementOut !== undefined) await writeWhole(statementOut, utf8Decode(payload), { replace: false })
  if (predicateOut !== undefined) await writeWhole(predicateOut, utf8Decode(predicate!), { replace: false })
}

async function refuseExisting(path: string): Promise<void> {
  if (await exists(path))
    throw new CliError('CLI_FILE_EXISTS', `${path} is there already`, {
      hint: 'Name another file, or remove this one first.',
    })
}
