import type { CliContext } from '../context.js'
import { printable, rows, table } from '../output.js'
import type { FailureClass, Failure, Outcome, Proven, Success } from './outcome.js'

/** What a failure is, in a word and in a sentence. */
const CLASS_TEXT: Readonly<Record<FailureClass, readonly [string, string]>> = {
  proof: ['BAD PROOF', 'the proof is bad'],
  policy: ['POLICY SAYS NO', 'the proof is good, and the policy says no'],
  'signer kind': ['OTHER KIND', 'the signer is of another kind than was asked for, so the proof was not looked at'],
  'other instance': ['OTHER INSTANCE', 'the trusted root knows neither its certificate authority nor its log'],
  'no bundle': ['NO BUNDLE', 'there is no bundle to verify it with'],
  file: ['UNREADABLE', 'it cannot be looked at'],
  trust: ['NO TRUST', 'the trusted root is of no use for it'],
}

/** Of a file that no rule is about nothing is known, neither good nor bad. */
const NO_RULE_TEXT = ['NO RULE', 'no rule is about it; it was not looked at'] as const

function classText({ failure, error }: Failure): readonly [string, string] {
  return error.code === 'CLI_POLICY_NO_RULE' ? NO_RULE_TEXT : CLASS_TEXT[failure]
}

const PIECE_LENGTH = 1 << 20
const MOST_EXPLAINED = 20

/**
 * Prints what became of the files. Standard output says "verified" only when everything is; with failures the same table goes to standard error, and below it
 * why, and what to do.
 */
export function report(context: CliContext, outcomes: readonly Outcome[], excluded: number): void {
  if (context.json) return printOutcomes(context, outcomes, excluded)
  const failures = outcomes.filter((one) => !one.verified)
  const print = (text: string): void => (failures.length === 0 ? context.out : context.err)(text)
  const [only] = outcomes
  if (outcomes.length === 1 && only !== undefined) print(only.verified ? successText(only) : failureText(only))
  else {
    print(table(outcomes.map(cells)))
    print(
      failures.length === 0
        ? `All ${outcomes.length} files verified (--json lists the checks).\n`
        : `NOT verified: ${failures.length} of ${outcomes.length} files\n`,
    )
    if (failures.length > 0) print(explanations(failures))
  }
  if (excluded > 0) print(`${excluded} ${excluded === 1 ? 'file was' : 'files were'} left out with --exclude.\n`)
}

/** One document, written a piece at a time: a release of a hundred thousand files does not fit in one string. */
function printOutcomes(context: CliContext, outcomes: readonly Outcome[], excluded: number): void {
  const failed = outcomes.filter(({ verified }) => !verified).length
  const head = {
    verified: failed === 0,
    counts: { files: outcomes.length, verified: outcomes.length - failed, failed, excluded },
  }
  let piece = `${JSON.stringify(head).slice(0, -1)},"files":[`
  outcomes.forEach((outcome, i) => {
    piece += `${i === 0 ? '' : ','}${printable(JSON.stringify(outcomeJson(outcome)))}`
    if (piece.length < PIECE_LENGTH) return
    context.out(piece)
    piece = ''
  })
  context.out(`${piece}]}\n`)
}

function outcomeJson(outcome: Outcome): Record<string, unknown> {
  const { file, verified } = outcome
  if (!outcome.verified) {
    const { rule, failure, error } = outcome
    return { file, verified, ...(rule === undefined ? {} : { rule }), failure, error }
  }
  const { rule, proofs, passedOver } = outcome
  const [first, ...others] = proofs
  return {
    file,
    verified,
    ...(rule === undefined ? {} : { rule }),
    ...first,
    ...(others.length === 0 ? {} : { others }),
    ...(passedOver.length === 0 ? {} : { passedOver }),
  }
}

function successText({ file, rule, proofs, passedOver }: Success): string {
  const blocks = proofs.map((one) =>
    rows([...pairsOf(one, proofs.length > 1), ...(rule === undefined ? [] : [['rule', rule] as const])]),
  )
  const notes = passedOver.map(({ bundle, error }) => `  passed over: ${printable(`${bundle}: ${error.message}`)}\n`)
  return `verified ${printable(file)}\n${blocks.join('\n')}${notes.join('')}`
}

function pairsOf({ bundle, signer, times, logEntries, content, checks }: Proven, several: boolean): [string, string][] {
  const pairs: [string, string][] = several ? [['bundle', bundle]] : []
  if ('key' in signer) pairs.push(['signed with', 'the key given'])
  else pairs.push(['signed by', signer.identity], ['vouched for by', signer.issuer])
  for (const { time, authority } of times) pairs.push(['at', `${time} (${authority})`])
  for (const { log, logIndex } of logEntries) pairs.push(['log entry', `${String(logIndex)} of ${String(log)}`])
  if (content !== 'message') pairs.push(['says', content.predicateType])
  pairs.push(['checks', `${checks.length} passed (--json lists them)`])
  return pairs
}

function failureText(failure: Failure): string {
  const [, sentence] = classText(failure)
  return `NOT verified: ${printable(failure.file)}\n${explanation(failure, [['because', sentence]])}`
}

function explanation({ error, rule }: Failure, more: [string, string][]): string {
  const { message, expected, found, hint, code } = error
  const pairs: [string, string][] = [...more]
  if (rule !== undefined) pairs.push(['rule', rule])
  if (expected !== undefined) pairs.push(['expected', expected])
  if (found !== undefined) pairs.push(['found', found])
  if (hint !== undefined) pairs.push(['do', hint])
  pairs.push(['code', code])
  return `touchmark: ${printable(message)}\n${rows(pairs)}`
}

function cells(outcome: Outcome): string[] {
  const file = printable(outcome.file)
  if (!outcome.verified) return [classText(outcome)[0], file, printable(outcome.error.message), outcome.error.code]
  const [{ signer, times, content }] = outcome.proofs
  const who = 'key' in signer ? 'the key given' : signer.identity
  return [
    'verified',
    file,
    printable(who),
    times[0]?.time ?? '',
    ...(content === 'message' ? [] : [printable(content.predicateType)]),
  ]
}

/** Equal failures are explained once. */
function explanations(failures: readonly Failure[]): string {
  const groups = new Map<string, Failure[]>()
  for (const failure of failures) {
    const { code, message, expected, found } = failure.error
    const key = JSON.stringify([failure.rule, code, message, failure.failure === 'no bundle' ? '' : [expected, found]])
    groups.set(key, [...(groups.get(key) ?? []), failure])
  }
  const shown = [...groups.values()].slice(0, MOST_EXPLAINED)
  const rest = groups.size - shown.length
  const texts = shown.map(
    (group) =>
      `\n${explanation(group[0]!, [
        ['files', namesOf(group)],
        ['because', classText(group[0]!)[1]],
      ])}`,
  )
  return `${texts.join('')}${rest > 0 ? `\n… and ${rest} more kinds of failures (--json lists all)\n` : ''}`
}

function namesOf(group: readonly Failure[]): string {
  const names = group
    .slice(0, 3)
    .map(({ file }) => file)
    .join(', ')
  return group.length > 3 ? `${names} and ${group.length - 3} more` : names
}
