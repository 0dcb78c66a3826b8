import { signStatement } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { runSigning, type SignOptions } from '../signing/run-signing.js'
import { planTargets } from '../signing/targets.js'
import { buildStatement, predicateTypeUri, readPredicate } from '../statement.js'

export interface AttestOptions extends SignOptions {
  /** A file that holds the predicate. */
  readonly predicate: string
  readonly type: string
}

/** `touchmark attest FILE… --predicate P --type T`: the same for in-toto statements about the files. */
export async function attestCommand(
  context: CliContext,
  files: readonly string[],
  options: AttestOptions,
): Promise<void> {
  const targets = await planTargets(files, options, '.att.sigstore.json')
  predicateTypeUri(options.type)
  const predicate = await readPredicate(options.predicate)
  await runSigning(context, targets, options, (file, artifact, identity, services) =>
    signStatement(
      buildStatement(file, artifact, options.type, predicate),
      'application/vnd.in-toto+json',
      identity,
      services,
    ),
  )
}
