import { readdirSync, readFileSync } from 'node:fs'
import type { JsonValue } from '@touchmark/encoding'
import { parseIssuerConfig, type IssuerConfiguration } from '@touchmark/identity'
import { CaError } from '../errors.js'
import type { IssuerSource } from '../identity/issuer-source.js'

const ROOT = new URL('../../../../', import.meta.url)
const FULCIO = new URL('test/vectors/fulcio/', ROOT)

/** One recorded request and answer of Fulcio v1.8.8; see test/vectors/fulcio/README.md. */
export interface FulcioCase {
  readonly name: string
  readonly server: 'ephemeral' | 'chain' | 'ct-down' | 'no-ct'
  readonly time: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly bodyDescription?: string
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
  readonly certificate?: string
}

export function readFulcio(path: string): string {
  return readFileSync(new URL(path, FULCIO), 'utf8')
}

export function fulcioCases(): FulcioCase[] {
  return readdirSync(new URL('cases/', FULCIO)).map((name) => JSON.parse(readFulcio(`cases/${name}`)) as FulcioCase)
}

export function fulcioCase(name: string): FulcioCase {
  return JSON.parse(readFulcio(`cases/${name}.json`)) as FulcioCase
}

/** What the recorded servers were configured with. */
export function recordedConfiguration(server: FulcioCase['server']): IssuerConfiguration {
  if (server === 'ephemeral') {
    return parseIssuerConfig(
      'oidc-issuers: {"http://localhost:9998": {issuer-url: "http://localhost:9998", client-id: sigstore, type: email}}',
    )
  }
  const providers = readFileSync(new URL('libs/identity/src/testing/public-ci-providers.yaml', ROOT), 'utf8')
  return parseIssuerConfig(readFulcio('config.yaml') + providers.replace(/^/gm, '  '))
}

/** The recorded issuers' keys, without HTTP. */
export const recordedSource: IssuerSource = {
  discover: async () => ({ jwksUri: '', algorithms: ['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] }),
  async fetchKeys(issuer) {
    const sets = JSON.parse(readFulcio('issuers.json')) as Record<string, JsonValue>
    const keys = sets[issuer.url.startsWith('http://localhost:7900/') ? 'http://localhost:7900/*' : issuer.url]
    if (keys === undefined) throw new CaError('CA_ISSUER_UNAVAILABLE', `${issuer.url} was not recorded`)
    return keys
  },
}
