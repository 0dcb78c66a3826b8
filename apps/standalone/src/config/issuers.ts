import { parseIssuerConfig, type IssuerConfiguration } from '@touchmark/identity'
import { StandaloneError } from '../errors.js'

export interface Issuers {
  readonly configuration: IssuerConfiguration
  /** The demonstration issuer runs. */
  readonly demo: boolean
  /** Where clients are told to log in; undefined when only machines have issuers. */
  readonly loginUrl: string | undefined
}

/** An issuer on this machine's loopback without TLS: a test's, never a company's. */
export function isLocal(url: string): boolean {
  const host = /^http:\/\/([^/:*]+)(?::\d+)?(?:\/|$)/.exec(url)?.[1]
  return host === 'localhost' || (host !== undefined && /^127\.\d+\.\d+\.\d+$/.test(host))
}

/**
 * Joins the configured issuers and the demonstration one. Anybody can be anybody at the demonstration issuer, so it is not there beside an issuer that
 * could be real, unless it is forced (`--demo-issuer on`). Throws STANDALONE_ISSUERS_FILE.
 */
export function settleIssuers(text: string | undefined, demoIssuer: 'auto' | 'on' | 'off', publicUrl: string): Issuers {
  const file = text === undefined ? undefined : parseFile(text)
  const real = file?.issuers.some((issuer) => !isLocal(issuer.url)) ?? false
  const demo = demoIssuer === 'on' || (demoIssuer === 'auto' && !real)
  const demoUrl = `${publicUrl}/oidc`
  if (!demo) return { configuration: file ?? parseIssuerConfig(''), demo, loginUrl: loginUrl(file) }
  if (file?.issuers.some((issuer) => issuer.url === demoUrl) === true) {
    throw new StandaloneError(
      'STANDALONE_ISSUERS_FILE',
      `the issuer configuration names ${demoUrl}, which is the demonstration issuer's own`,
      {
        hint: 'Remove it from the file: the demonstration issuer is configured by --demo-issuer.',
      },
    )
  }
  const own = parseFile(
    JSON.stringify({ OIDCIssuers: { [demoUrl]: { IssuerURL: demoUrl, ClientID: 'sigstore', Type: 'email' } } }),
  )
  const configuration: IssuerConfiguration = {
    issuers: [...(file?.issuers ?? []), ...own.issuers],
    ciProviders: file?.ciProviders ?? new Map(),
    warnings: file?.warnings ?? [],
  }
  return { configuration, demo, loginUrl: demoUrl }
}

/** Throws STANDALONE_ISSUERS_FILE when the configuration is not right. */
export function checkIssuers(text: string): void {
  parseFile(text)
}

function parseFile(text: string): IssuerConfiguration {
  try {
    return parseIssuerConfig(text)
  } catch (cause) {
    throw new StandaloneError(
      'STANDALONE_ISSUERS_FILE',
      `the issuer configuration is not right: ${cause instanceof Error ? cause.message : 'unknown'}`,
      { cause },
    )
  }
}

/** People log in at an issuer of e-mail addresses. */
function loginUrl(file: IssuerConfiguration | undefined): string | undefined {
  return file?.issuers.find((issuer) => issuer.type === 'email' && !issuer.wildcard)?.url
}
