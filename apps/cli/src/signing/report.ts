import type { Identity, SignStep } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { exitCodeOf } from '../exit-codes.js'
import { errorJson, printable, printError, printJson, rows } from '../output.js'
import type { FoundToken } from '../tokens.js'
import type { TrustedInstance } from '../trust-store.js'
import { holderOf } from '../verify-artifact.js'
import type { Target } from './targets.js'

/** What became of one file. */
export interface Signed {
  readonly file: string
  readonly bundle: string
  readonly logIndex: bigint
  readonly ms: number
  /** The bundle was there, and good. */
  readonly kept: boolean
}

export interface Report {
  identity: Identity
  token: FoundToken
  instance: TrustedInstance
  signed: readonly Signed[]
  steps: Partial<Record<SignStep, number>>
  failure?: { item: Target; error: unknown }
}

/** Says what was signed, by whom, and what kept the rest from it; sets the exit code. */
export function report(context: CliContext, made: Report): void {
  const { failure, signed, instance } = made
  const signer = {
    identity: holderOf(made.identity.certificate).subject.exact,
    issuer: made.token.claims.issuer,
    tokenSource: made.token.source,
  }
  if (failure !== undefined) process.exitCode = exitCodeOf(failure.error)
  if (context.json) {
    const error = failure === undefined ? {} : { error: { file: failure.item.file, ...errorJson(failure.error) } }
    return printJson(context, { instance: instance.url, ...signer, steps: made.steps, signed, ...error })
  }
  if (failure !== undefined) {
    printError(context, failure.error)
    const left =
      signed.length === 0
        ? 'No bundle was written.'
        : `Bundles of ${signed.length} files are there already; --resume goes on with the rest.`
    return context.err(`${printable(failure.item.file)} was not signed. ${left}\n`)
  }
  for (const { file, bundle, logIndex, ms, kept } of signed) {
    context.out(
      `${kept ? 'signed before:' : 'signed'} ${printable(file)}\n${rows([
        ['bundle', bundle],
        ['log entry', `${logIndex} of ${instance.url}`],
        ['took', `${ms} ms`],
      ])}`,
    )
  }
  context.out(
    rows(
      [
        ['as', signer.identity],
        ['vouched for by', signer.issuer],
      ],
      '',
    ),
  )
}
