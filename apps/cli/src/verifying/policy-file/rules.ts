import type { Policy } from '@touchmark/verify'
import { CliError } from '../../errors.js'
import { matchesPattern } from './patterns.js'
import type { Rule } from './types.js'

/** What a command is about: signatures of files, or statements about them. */
export type Ask = 'signature' | 'attestation'

/** The first rule that is about such a file, by its path as a policy sees it; deny by default. Throws CLI_POLICY_NO_RULE. */
export function ruleFor(rules: readonly Rule[], path: string, ask: Ask): Rule {
  const content = ask === 'signature' ? 'message' : 'attestation'
  const rule = rules.find(
    (one) => (one.content ?? content) === content && one.files.some((pattern) => matchesPattern(pattern, path)),
  )
  if (rule !== undefined) return rule
  throw new CliError('CLI_POLICY_NO_RULE', `no rule of the policy is about the ${ask} of this file`, {
    check: 'policy',
    expected: `a rule with content "${ask}" and a pattern that fits`,
    found: path,
    hint: 'What no rule is about is refused. If this file belongs to the release, add a rule for it; else leave it out with --exclude.',
  })
}

/** What a rule wants of a bundle that is signed in one of the two ways. `types`: what the command line wants beside. Throws CLI_POLICY_NO_RULE. */
export function policyOf(
  rule: Rule,
  by: 'certificate' | 'key',
  ask: Ask,
  types: readonly string[] | undefined,
): Policy {
  const content = ask === 'attestation' ? 'attestation' : rule.content
  const predicateTypes = typesOf(rule, types)
  return {
    ...(by === 'certificate' ? { identities: rule.identities } : {}),
    ...(rule.thresholds === undefined ? {} : { thresholds: rule.thresholds }),
    ...(content === undefined ? {} : { content }),
    ...(predicateTypes === undefined ? {} : { predicateTypes }),
  }
}

function typesOf(rule: Rule, asked: readonly string[] | undefined): readonly string[] | undefined {
  if (rule.predicateTypes === undefined || asked === undefined) return asked ?? rule.predicateTypes
  const both = asked.filter((type) => rule.predicateTypes!.includes(type))
  if (both.length > 0) return both
  throw new CliError('CLI_POLICY_NO_RULE', `${rule.name} of the policy takes no attestation of this type`, {
    check: 'policy',
    expected: rule.predicateTypes.join(' or '),
    found: asked.join(' or '),
    hint: 'Ask for a type that the rule names, or add the type to the rule.',
  })
}
