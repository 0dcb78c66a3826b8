import { parseJson, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { CaError } from '../errors.js'
import type { AddressRule } from './address-rule.js'
import type { FetchDocument } from './fetch-document.js'
import type { IssuerDocument, IssuerSource, MatchedIssuer } from './issuer-source.js'

const MAX_DEPTH = 16

function unavailable(why: string, cause?: unknown): CaError {
  return new CaError('CA_ISSUER_UNAVAILABLE', why, cause === undefined ? {} : { cause })
}

/** OpenID Connect Discovery over HTTP (ca.md §5.3), for issuers elsewhere. */
export class HttpIssuerSource implements IssuerSource {
  readonly #fetch: FetchDocument

  constructor(fetch: FetchDocument) {
    this.#fetch = fetch
  }

  async discover(issuer: MatchedIssuer, signal: AbortSignal): Promise<IssuerDocument> {
    const address = `${issuer.url.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = await this.#read(issuer, parseUrl(address), issuer.config.wildcard ? 'public' : 'any', signal)
    const { issuer: named, jwks_uri: jwksUri, id_token_signing_alg_values_supported: algorithms } = document
    // Exactly: a trailing slash makes another issuer.
    if (named !== issuer.url) throw unavailable(`the document of ${issuer.url} names another issuer`)
    if (typeof jwksUri !== 'string') throw unavailable(`the document of ${issuer.url} has no jwks_uri`)
    const listed = Array.isArray(algorithms) ? algorithms.filter((name) => typeof name === 'string') : []
    return { jwksUri, algorithms: listed }
  }

  async fetchKeys(issuer: MatchedIssuer, document: IssuerDocument, signal: AbortSignal): Promise<JsonValue> {
    const url = parseUrl(document.jwksUri)
    const base = parseUrl(issuer.url)
    if (base.protocol === 'https:' && url.protocol !== 'https:')
      throw unavailable(`the keys of ${issuer.url} are not on HTTPS`)
    const sameHost = url.origin === base.origin
    const rule = issuer.config.wildcard ? 'public' : sameHost ? 'any' : 'not-link-local'
    return this.#read(issuer, url, rule, signal)
  }

  async #read(
    issuer: MatchedIssuer,
    url: URL,
    addresses: AddressRule,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, JsonValue>>> {
    const bytes = await this.#fetch(url, { addresses, caCert: issuer.config.caCert, signal })
    try {
      const value = parseJson(bytes, { maxDepth: MAX_DEPTH })
      if (value !== null && typeof value === 'object' && !Array.isArray(value))
        return value as Readonly<Record<string, JsonValue>>
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw unavailable(`${url.origin} does not answer with JSON: ${cause.message}`, cause)
    }
    throw unavailable(`${url.origin} does not answer with a JSON object`)
  }
}

/** A URL to ask. User info in it would go into requests and logs; nobody needs it. */
function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw unavailable('an address of the issuer is not a URL')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw unavailable('an address of the issuer has user info')
  return url
}
