import type { FulcioExtensionName } from '@touchmark/x509'
import type { JsonPath } from '../json-path.js'
import type { Template } from '../template/parser.js'

/** The kinds whose tokens are understood. A configuration may name another one; its tokens are refused. */
export const ISSUER_TYPES = [
  'email',
  'uri',
  'spiffe',
  'username',
  'kubernetes',
  'github-workflow',
  'gitlab-pipeline',
  'buildkite-job',
  'codefresh-workflow',
  'chainguard-identity',
  'ci-provider',
] as const

export type IssuerType = (typeof ISSUER_TYPES)[number]

/** One issuer of the configuration file (ca.md §6); what the file leaves out is the empty string. */
export interface IssuerConfig {
  /** Key in the file: the issuer's URL, or a pattern with `*`. */
  readonly url: string
  readonly wildcard: boolean
  readonly clientId: string
  /** As written; see ISSUER_TYPES. */
  readonly type: string
  readonly ciProvider: string
  readonly issuerClaim: JsonPath | undefined
  readonly subjectDomain: string
  readonly spiffeTrustDomain: string
  /** Reported only; the proof is always over what ca.md §3 says. */
  readonly challengeClaim: string
  /** PEM, used beside the system's roots when the issuer is asked for its keys. */
  readonly caCert: string
  readonly skipEmailVerification: boolean
}

/** A template of a ci-provider: a Go template, or the name of one value. */
export type ValueTemplate =
  { readonly kind: 'template'; readonly template: Template } | { readonly kind: 'value'; readonly name: string }

/** How the tokens of one CI system become certificates. */
export interface CiProvider {
  readonly defaults: ReadonlyMap<string, string>
  readonly subject: ValueTemplate | undefined
  readonly extensions: ReadonlyMap<FulcioExtensionName, ValueTemplate>
}

export interface IssuerConfiguration {
  readonly issuers: readonly IssuerConfig[]
  readonly ciProviders: ReadonlyMap<string, CiProvider>
  /** What the file says that no token can ever meet; Fulcio starts with it too, so it is said and not refused. */
  readonly warnings: readonly string[]
}
