import type { SigningIdentity, SignStep } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { exitCodeOf } from '../exit-codes.js'
import { errorJson, printable, printError, printJson, rows, table } from '../output.js'
import type { FoundToken } from '../tokens.js'
import type { TrustedInstance } from '../trust-store.js'
import { holderOf } from './own-bundle.js'
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
  identity: SigningIdentity
  /** Of a keyless signer. */
  token?: FoundToken
  /** Of a signer with a key. */
  keyFile?: string
  instance: TrustedInstance
  signed: readonly Signed[]
  steps: Partial<Record<SignStep, number>>
  failure?: { item: Target; error: unknown }
}

/** Says what was signed, by whom, and what kept the rest from it; sets the exit code. */
export function report(context: CliContext, made: Report): void {
  const { failure, signed, instance } = made
  if (failure !== undefined) process.exitCode = exitCodeOf(failure.error)
  if (context.json) {
    const error = failure === undefined ? {} : { error: { file: failure.item.file, ...errorJson(failure.error) } }
    return printJson(context, { instance: instance.url, ...signerJson(made), steps: made.steps, signed, ...error })
  }
  if (failure !== undefined) {
    printError(context, failure.error)
    const left =
      signed.length === 0
        ? 'No bundle was written.'
        : `${signed.length === 1 ? 'The bundle of 1 file is' : `Bundles of ${signed.length} files are`} there already; --resume goes on with the rest.`
    return context.err(`${printable(failure.item.file)} was not signed. ${left}\n`)
  }
  const [only] = signed
  if (signed.length === 1 && only !== undefined) context.out(signedText(only, instance.url))
  else context.out(`${table(signed.map(cells))}${signed.length} files, in the log of ${printable(instance.url)}\n`)
  context.out(rows(signerRows(made), ''))
}

const word = ({ kept }: Signed): string => (kept ? 'signed before' : 'signed')

function signedText(signed: Signed, url: string): string {
  const { file, bundle, logIndex, ms, kept } = signed
  return `${word(signed)}${kept ? ':' : ''} ${printable(file)}\n${rows([
    ['bundle', bundle],
    ['log entry', `${logIndex} of ${url}`],
    ['took', `${ms} ms`],
  ])}`
}

function cells(signed: Signed): string[] {
  const { file, bundle, logIndex } = signed
  return [word(signed), printable(file), `log entry ${logIndex}`, printable(bundle)]
}

function signerJson({ identity, token, keyFile }: Report): Record<string, unknown> {
  if (!('certificate' in identity)) return { key: keyFile, keyHint: identity.hint }
  const { subject, issuer } = holderOf(identity.certificate)
  return { identity: subject.exact, issuer, tokenSource: token?.source }
}

function signerRows({ identity, keyFile }: Report): [string, string][] {
  if (!('certificate' in identity))
    return [
      ['with key', keyFile ?? ''],
      ['key hint', identity.hint],
    ]
  const { subject, issuer } = holderOf(identity.certificate)
  return [
    ['as', subject.exact],
    ['vouched for by', issuer],
  ]
}
