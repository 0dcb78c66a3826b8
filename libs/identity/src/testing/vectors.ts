import { readdirSync, readFileSync } from 'node:fs'
import { parseIssuerConfig } from '../config/parse-config.js'
import type { IssuerConfiguration } from '../config/issuer-config.js'
import { findIssuer } from '../find-issuer.js'
import type { IssuerConfig } from '../config/issuer-config.js'

const ROOT = new URL('../../../../', import.meta.url)

/** Text of a file below the repository's root. */
export function repositoryFile(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** One recorded request and answer of Fulcio v1.8.8; see test/vectors/fulcio/README.md. */
export interface FulcioCase {
  readonly name: string
  readonly tokenClaims?: Readonly<Record<string, never>>
  readonly signedString?: string
  readonly response: { readonly status: number; readonly body: string }
  readonly extensions?: readonly { readonly oid: string; readonly critical: boolean; readonly value: string }[]
}

export const fulcioCases = (): FulcioCase[] =>
  readdirSync(new URL('test/vectors/fulcio/cases/', ROOT)).map(
    (name) => JSON.parse(repositoryFile(`test/vectors/fulcio/cases/${name}`)) as FulcioCase,
  )

/** The configuration that Fulcio ran with, the public CI providers included. */
export function recordedConfiguration(): IssuerConfiguration {
  const text = repositoryFile('test/vectors/fulcio/config.yaml')
  const ephemeral = '  http://localhost:9998: {issuer-url: http://localhost:9998, client-id: sigstore, type: email}\n'
  const providers = repositoryFile('libs/identity/src/testing/public-ci-providers.yaml').replace(/^/gm, '  ')
  return parseIssuerConfig(text.replace('oidc-issuers:\n', `oidc-issuers:\n${ephemeral}`) + providers)
}

/** A configured issuer; a test that names another is wrong. */
export function issuerOf(configuration: IssuerConfiguration, url: string): IssuerConfig {
  const issuer = findIssuer(configuration, url)
  if (issuer === undefined) throw new Error(`no issuer ${url}`)
  return issuer
}
