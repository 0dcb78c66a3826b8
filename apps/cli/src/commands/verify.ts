import type { CliContext } from '../context.js'
import { Progress } from '../output.js'
import { judgeAll } from '../verifying/batch.js'
import { readDemand, type DemandOptions } from '../verifying/demand.js'
import type { Ask } from '../verifying/policy-file/rules.js'
import { report } from '../verifying/report.js'
import { findSubjects, type SubjectOptions } from '../verifying/subjects.js'

export interface VerifyOptions extends DemandOptions, SubjectOptions {
  /** Threads that verify; 0: none beside the main one. Default: as many as are worth their start. */
  readonly threads?: number
}

export interface VerifyAttestationOptions extends VerifyOptions {
  /** Where the signed statement goes, with one file. */
  readonly statementOut?: string
  /** The same for its predicate. */
  readonly predicateOut?: string
}

/** `touchmark verify FILE…`: every file must verify; each failure is said, and the first one decides the exit code. */
export async function verifyCommand(
  context: CliContext,
  files: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  await verifyAll(context, 'signature', files, options)
}

/** `touchmark verify-attestation FILE…`: each file needs one attestation at least that verifies and is what was asked for. */
export async function verifyAttestationCommand(
  context: CliContext,
  files: readonly string[],
  options: VerifyAttestationOptions,
): Promise<void> {
  if (options.statementOut === undefined && options.predicateOut === undefined)
    return verifyAll(context, 'attestation', files, options)
  const { verifyAndWrite } = await import('../verifying/statement-files.js')
  return verifyAndWrite(context, files, options)
}

async function verifyAll(
  context: CliContext,
  ask: Ask,
  files: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  // What is said wrongly is refused before an instance is asked for anything.
  const { subjects, excluded } = await findSubjects(files, ask, options)
  const brief = !context.json && subjects.length > 1
  const demand = { ...(await readDemand(context, ask, options)), brief }
  const progress = new Progress(context)
  try {
    const onDone = (done: number): void => {
      if (subjects.length > 1) progress.show(`looked at ${done} of ${subjects.length}`)
    }
    const outcomes = await judgeAll(subjects, demand, onDone, options.threads)
    progress.clear()
    report(context, outcomes, excluded)
    const failed = outcomes.find((one) => !one.verified)
    if (failed !== undefined && !failed.verified) process.exitCode = failed.exitCode
  } finally {
    progress.clear()
  }
}
