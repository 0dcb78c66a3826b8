import { isCodedError } from '@touchmark/errors'
import { base64Encode, hexEncode } from '@touchmark/encoding'
import type { PerformedCheck, VerificationResult } from '@touchmark/verify'
import { EXIT, exitCodeOf } from '../exit-codes.js'
import { adviceFor } from '../next-steps.js'
import type { Demand } from './demand.js'
import type { Ask } from './policy-file/rules.js'
import type { Judgement, Proof } from './judge.js'

/** An error as data: what `--json` shows of it. */
export interface Refused {
  readonly code: string
  readonly message: string
  readonly check?: string
  readonly expected?: string
  readonly found?: string
  readonly hint?: string
}

/** What a bundle was found to prove, as data that can be handed to another thread. */
export interface Proven {
  readonly bundle: string
  readonly signer:
    | { readonly identity: string; readonly issuer: string; readonly extensions: Readonly<Record<string, string>> }
    | { readonly key: string }
  /** `sha256:<hex>`. */
  readonly digest: string
  readonly content: 'message' | { readonly predicateType: string; readonly statement?: string }
  readonly times: readonly { readonly time: string; readonly source: string; readonly authority: string }[]
  readonly logEntries: readonly Readonly<Record<string, unknown>>[]
  readonly checks: readonly PerformedCheck[]
}

/** The classes that a failure belongs to; names are stable. */
export type FailureClass = 'proof' | 'policy' | 'signer kind' | 'other instance' | 'no bundle' | 'file' | 'trust'

export interface Success {
  readonly file: string
  readonly verified: true
  /** The rule of the policy file that decided. */
  readonly rule?: string
  readonly proofs: readonly [Proven, ...Proven[]]
  readonly passedOver: readonly { readonly bundle: string; readonly error: Refused }[]
}

export interface Failure {
  readonly file: string
  readonly verified: false
  readonly rule?: string
  readonly failure: FailureClass
  readonly exitCode: number
  readonly error: Refused
}

/** What became of one artifact, as plain data. */
export type Outcome = Success | Failure

/** What a judgement found, of `demand.brief` ones only what a line of a table needs. */
export function succeeded(file: string, judgement: Judgement, demand: Demand): Success {
  const { ask, byName, brief } = demand
  const { rule, proofs, passedOver } = judgement
  const [first, ...others] = proofs
  return {
    file,
    verified: true,
    ...(byName ? { rule: rule.name } : {}),
    proofs: [proven(first, ask, brief), ...others.map((one) => proven(one, ask, brief))],
    passedOver: passedOver.map(({ bundle, error }) => ({ bundle, error: refused(error) })),
  }
}

/** Throws what has no code of ours: that is a fault, and no answer about a file. */
export function failed(file: string, error: unknown): Failure {
  if (!isCodedError(error)) throw error
  return { file, verified: false, failure: classOf(error), exitCode: exitCodeOf(error), error: refused(error) }
}

function classOf(error: unknown): FailureClass {
  const { code } = error as { code: string }
  if (code === 'VERIFY_OTHER_INSTANCE') return 'other instance'
  if (code === 'VERIFY_KEY_MISSING' || code === 'VERIFY_KEY_UNEXPECTED') return 'signer kind'
  if (code === 'CLI_BUNDLE_MISSING') return 'no bundle'
  const exit = exitCodeOf(error)
  if (exit === EXIT.policy) return 'policy'
  if (exit === EXIT.trust) return 'trust'
  return exit === EXIT.notVerified ? 'proof' : 'file'
}

export function refused(error: unknown): Refused {
  if (!isCodedError(error)) throw error
  const { check, expected, found } = error.details
  const hint = adviceFor(error)
  return {
    code: error.code,
    message: error.message,
    ...(check === undefined ? {} : { check }),
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    ...(hint === undefined ? {} : { hint }),
  }
}

function proven({ bundle, result }: Proof, ask: Ask, brief: boolean): Proven {
  const { signer, artifact, content, times, logEntries, checks } = result
  return {
    bundle,
    signer:
      signer.kind === 'certificate'
        ? { identity: signer.subject.value, issuer: signer.issuer, extensions: { ...signer.extensions } }
        : { key: hexEncode(signer.publicKey.spki) },
    digest: `${artifact.algorithm.replace('SHA2_', 'sha')}:${hexEncode(artifact.digest)}`,
    content: contentOf(content, brief ? 'signature' : ask),
    times: times.map(({ time, source, authority }) => ({ time: time.toISOString(), source, authority })),
    logEntries: brief ? [] : logEntries.map((entry) => plain(entry)),
    checks: brief ? [] : checks,
  }
}

/** The statement's exact bytes where it was asked for: what is shown is what was signed (reliability.md V7). */
function contentOf(content: VerificationResult['content'], ask: Ask): Proven['content'] {
  if (content.kind === 'message') return 'message'
  const { predicateType } = content.statement
  return ask === 'attestation' ? { predicateType, statement: base64Encode(content.payload) } : { predicateType }
}

function plain(entry: VerificationResult['logEntries'][number]): Record<string, unknown> {
  const { logIndex, integratedTime, checkpoint, ...rest } = entry
  return {
    ...rest,
    logIndex: logIndex.toString(),
    ...(integratedTime === undefined ? {} : { integratedTime: integratedTime.toISOString() }),
    ...(checkpoint === undefined ? {} : { checkpoint: { ...checkpoint, size: checkpoint.size.toString() } }),
  }
}
