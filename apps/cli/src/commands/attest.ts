import { IN_TOTO_PAYLOAD_TYPE } from '@touchmark/bundle'
import { signStatement } from '@touchmark/sign'
import { planStatements, type StatementOptions, type StatementTarget } from '../attest/statement-targets.js'
import type { CliContext } from '../context.js'
import { runSigning, type SignOptions } from '../signing/run-signing.js'

export interface AttestOptions extends SignOptions, StatementOptions {}

/** `touchmark attest FILE… (--predicate P --type T | --sbom S | --statement S)`: in-toto statements about files, signed. */
export async function attestCommand(
  context: CliContext,
  files: readonly string[],
  options: AttestOptions,
): Promise<void> {
  const targets = await planStatements(files, options, context.clock)
  const byBundle = new Map(targets.map((target): [string, StatementTarget] => [target.bundle, target]))
  await runSigning(context, targets, options, ({ bundle }, _artifact, identity, services) =>
    signStatement(byBundle.get(bundle)!.payload(), IN_TOTO_PAYLOAD_TYPE, identity, services),
  )
}
