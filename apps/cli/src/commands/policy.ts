import { isCodedError } from '@touchmark/errors'
import type { CliContext } from '../context.js'
import { exitCodeOf } from '../exit-codes.js'
import { readInput } from '../files.js'
import { printable, printJson, rows } from '../output.js'
import { refused } from '../verifying/outcome.js'
import { parsePolicyFile } from '../verifying/policy-file/parse.js'
import { ruleFor, type Ask } from '../verifying/policy-file/rules.js'
import { POLICY_FILE_LIMITS, type Rule } from '../verifying/policy-file/types.js'
import { policyPath } from '../verifying/subjects.js'

/** `touchmark policy check POLICY [NAME…]`: no file but the policy needs to be there. A name that no rule is about ends it with 4. */
export async function policyCheckCommand(
  context: CliContext,
  [file, ...names]: readonly string[],
  options: { attestations?: boolean },
): Promise<void> {
  const { rules } = parsePolicyFile(await readInput(file!, POLICY_FILE_LIMITS.bytes))
  const ask: Ask = options.attestations === true ? 'attestation' : 'signature'
  const decided = names.map((name) => decide(rules, name, ask))
  const lost = decided.find(({ error }) => error !== undefined)
  if (lost !== undefined) process.exitCode = exitCodeOf(lost.error)
  if (context.json) {
    printJson(context, {
      rules: rules.map((rule) => ({ ...rule, content: contentOf(rule), keys: rule.keys.length })),
      files: decided.map(({ name, rule, error }) =>
        error === undefined ? { file: name, rule: rule!.name } : { file: name, error: refused(error) },
      ),
    })
    return
  }
  const print = (text: string): void => (lost === undefined ? context.out : context.err)(text)
  for (const rule of rules) print(`${printable(rule.name)}\n${rows(describe(rule))}`)
  if (decided.length > 0)
    print(
      `\n${rows(
        decided.map(({ name, rule }) => [printable(name), rule?.name ?? 'no rule: refused']),
        '',
      )}`,
    )
}

function decide(rules: readonly Rule[], name: string, ask: Ask): { name: string; rule?: Rule; error?: unknown } {
  try {
    return { name, rule: ruleFor(rules, policyPath(name), ask) }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { name, error }
  }
}

const contentOf = ({ content }: Rule): Ask => (content === 'attestation' ? 'attestation' : 'signature')

function describe(rule: Rule): [string, string][] {
  const { files, identities, keys, predicateTypes, thresholds = {} } = rule
  return [
    ['files', files.join(', ')],
    ['content', contentOf(rule)],
    ...(predicateTypes ?? []).map((type): [string, string] => ['type', type]),
    ...identities.map(({ subject, issuer, extensions = {} }): [string, string] => {
      const name = 'exact' in subject ? subject.exact : `/${subject.pattern}/`
      const more = Object.entries(extensions).map(([extension, value]) => `, ${extension} ${value}`)
      return ['signer', `${name} by ${issuer}${more.join('')}`]
    }),
    ...(keys.length === 0 ? [] : [['keys', String(keys.length)] as [string, string]]),
    ...Object.entries(thresholds).map(([name, value]): [string, string] => ['at least', `${value} ${name}`]),
  ]
}
