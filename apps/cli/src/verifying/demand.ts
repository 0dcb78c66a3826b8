import { CodedError } from '@touchmark/errors'
import type { TrustedRoot } from '@touchmark/trust'
import { validatePolicy, type IdentityPolicy } from '@touchmark/verify'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { readInput } from '../files.js'
import { predicateTypeUri } from '../statement.js'
import { trustedRootFile, trustInstance, type InstanceOptions } from '../trust-store.js'
import type { Ask } from './policy-file/rules.js'
import { POLICY_FILE_LIMITS, type Rule } from './policy-file/types.js'

/** Who must have signed, as flags or as a file. */
export interface SignerOptions {
  readonly certificateIdentity?: string
  readonly certificateIdentityRegexp?: string
  readonly certificateOidcIssuer?: string
  /** A file with the public key of the signer. */
  readonly key?: string
  /** A policy file. */
  readonly policy?: string
}

export interface DemandOptions extends InstanceOptions, SignerOptions {
  readonly trustedRoot?: string
  /** The predicate type that an attestation must have. */
  readonly type?: string
}

/** Everything that files are held against: plain data, which can be handed to a thread. */
export interface Demand {
  readonly ask: Ask
  readonly trust: TrustedRoot
  readonly rules: readonly Rule[]
  /** The rules are of a policy file, and chosen by the name of each file; else there is one, for every file. */
  readonly byName: boolean
  readonly predicateTypes?: readonly string[]
  /** A line a file is all that is wanted, so that memory does not grow with what was checked. */
  readonly brief: boolean
}

/**
 * Reads what was said about signers and trust. What the command line leaves open is refused before any trust is looked for.
 * Throws CLI_USAGE, CLI_POLICY_INVALID, KEYFILE_PUBLIC_KEY_INVALID, POLICY_EMPTY, POLICY_INVALID, and what {@link trustInstance} throws.
 */
export async function readDemand(context: CliContext, ask: Ask, options: DemandOptions): Promise<Demand> {
  const types = options.type === undefined ? {} : { predicateTypes: [predicateTypeUri(options.type)] }
  const rules = await readRules(options)
  const trust =
    options.trustedRoot === undefined
      ? (await trustInstance(context, options)).config.trustedRoot
      : await trustedRootFile(context, options.trustedRoot, options)
  return { ask, trust, rules, byName: options.policy !== undefined, brief: false, ...types }
}

async function readRules(options: SignerOptions): Promise<readonly Rule[]> {
  const named = { '--policy': options.policy, '--key': options.key, ...identityFlags(options) }
  const given = Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [flag]))
  const [first] = given
  if ((first === '--policy' || first === '--key') && given.length > 1)
    throw new CliError('CLI_USAGE', `${first} says who must have signed: ${given[1]} does not go with it`)
  if (options.policy !== undefined) {
    const { parsePolicyFile } = await import('./policy-file/parse.js')
    return parsePolicyFile(await readInput(options.policy, POLICY_FILE_LIMITS.bytes)).rules
  }
  const all = { name: 'command line', files: ['**'] }
  if (options.key !== undefined) {
    const { parsePublicKeyFile } = await import('@touchmark/keyfile')
    const { spki } = parsePublicKeyFile(await readInput(options.key, 1 << 20))
    return [{ ...all, identities: [], keys: [spki] }]
  }
  const identity = identityPolicy(options)
  refuseBadPattern(options.certificateIdentityRegexp)
  validatePolicy({ identities: [identity] }, 'certificate')
  return [{ ...all, identities: [identity], keys: [] }]
}

/** The verifier's own words do not name the flag. */
function refuseBadPattern(pattern: string | undefined): void {
  if (pattern === undefined) return
  try {
    new RegExp(pattern, 'u')
  } catch (cause) {
    throw new CodedError('POLICY_INVALID', '--certificate-identity-regexp is no regular expression', {
      cause,
      check: 'policy',
      expected: 'a regular expression (JavaScript, with the u flag)',
      found: cause instanceof Error ? cause.message.slice(0, 300) : pattern.slice(0, 200),
      hint: 'Correct --certificate-identity-regexp; for a name that is meant as it stands there is --certificate-identity.',
    })
  }
}

function identityFlags(options: SignerOptions): Record<string, string | undefined> {
  return {
    '--certificate-identity': options.certificateIdentity,
    '--certificate-identity-regexp': options.certificateIdentityRegexp,
    '--certificate-oidc-issuer': options.certificateOidcIssuer,
  }
}

/** Who must have signed. Throws CLI_USAGE when that is not said. */
export function identityPolicy(options: SignerOptions): IdentityPolicy {
  const { certificateIdentity: exact, certificateIdentityRegexp: pattern, certificateOidcIssuer: issuer } = options
  if (exact !== undefined && pattern !== undefined)
    throw new CliError('CLI_USAGE', '--certificate-identity and --certificate-identity-regexp: choose one')
  if (exact === undefined && pattern === undefined) {
    throw new CliError('CLI_USAGE', 'say who must have signed: a signature by just anybody says nothing', {
      hint: 'Pass --certificate-identity NAME (or --certificate-identity-regexp PATTERN) with --certificate-oidc-issuer URL, or --key FILE, or --policy FILE.',
    })
  }
  if (issuer === undefined)
    throw new CliError('CLI_USAGE', 'say who must have vouched for the signer: --certificate-oidc-issuer URL', {
      hint: 'It is the address of the identity provider that the signer logged in at; `touchmark sign` prints it as "vouched for by".',
    })
  return { subject: exact === undefined ? { pattern: pattern! } : { exact }, issuer }
}
