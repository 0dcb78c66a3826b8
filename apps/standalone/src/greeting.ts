import { isLocal } from './config/issuers.js'

export interface GreetingInput {
  readonly publicUrl: string
  readonly localUrl: string
  readonly dataDir: string
  readonly metricsUrl: string
  readonly fingerprint: string
  readonly demo: boolean
  readonly loginUrl: string | undefined
  readonly first: boolean
}

/** What a newcomer needs next: copy-paste lines with this instance's own values. */
export function greeting(input: GreetingInput): string {
  const { publicUrl, loginUrl } = input
  const issuer = loginUrl ?? 'ISSUER'
  const token = input.demo
    ? [
        '',
        '# a token without a browser (demonstration issuer)',
        `T=$(npx touchmark token --email dev@example.com --instance ${publicUrl})`,
      ]
    : []
  const given = input.demo ? ' --identity-token "$T"' : ''
  const who = input.demo ? 'dev@example.com' : 'YOU@EXAMPLE.COM'
  const lines = [
    `Touchmark is ${input.first ? 'set up' : 'back'}: ${publicUrl}`,
    `  data         ${input.dataDir}`,
    `  metrics      ${input.metricsUrl}`,
    `  trust root   sha256:${input.fingerprint}`,
    ...(input.demo
      ? [
          '  issuer       demo: anybody can be anybody here. Use --issuers for a real one.',
          ...(isLocal(`${publicUrl}/`)
            ? []
            : ['               THIS URL IS NOT OF THIS MACHINE ALONE: whoever reaches it can sign as anybody.']),
        ]
      : []),
    ...token,
    '',
    '# touchmark',
    `npx touchmark sign FILE --instance ${publicUrl}${given}`,
    `npx touchmark verify FILE --instance ${publicUrl} --certificate-identity ${who} --certificate-oidc-issuer ${issuer}`,
    '',
    '# trust files for other clients',
    `for f in trusted_root.json signing_config.v0.2.json client_trust_config.json; do curl -sO ${publicUrl}/trust/$f; done`,
    '',
    '# cosign 3',
    `cosign sign-blob -y --signing-config signing_config.v0.2.json --trusted-root trusted_root.json${given} --bundle FILE.bundle FILE`,
    `cosign verify-blob --trusted-root trusted_root.json --certificate-identity ${who} --certificate-oidc-issuer ${issuer} --bundle FILE.bundle FILE`,
    '',
    '# sigstore (Python)',
    `sigstore --trust-config client_trust_config.json sign${given} --bundle FILE.sigstore.json FILE`,
    `sigstore --trust-config client_trust_config.json verify identity --cert-identity ${who} --cert-oidc-issuer ${issuer} --bundle FILE.sigstore.json FILE`,
  ]
  return `${lines.join('\n')}\n\nready ${input.localUrl}\n`
}
