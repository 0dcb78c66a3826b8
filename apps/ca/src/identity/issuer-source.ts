import type { JsonValue } from '@touchmark/encoding'
import type { IssuerConfig } from '@touchmark/identity'

/** The issuer of a token, and the part of the configuration that lets it in. */
export interface MatchedIssuer {
  /** The token's `iss`; equal to the configuration's URL unless that is a wildcard. */
  readonly url: string
  readonly config: IssuerConfig
}

/** What is needed of an issuer's discovery document. */
export interface IssuerDocument {
  readonly jwksUri: string
  /** `id_token_signing_alg_values_supported`. */
  readonly algorithms: readonly string[]
}

/** Where issuers' documents come from. Both MUST give up within the time of the signal, and throw CA_ISSUER_UNAVAILABLE. */
export interface IssuerSource {
  discover(issuer: MatchedIssuer, signal: AbortSignal): Promise<IssuerDocument>
  fetchKeys(issuer: MatchedIssuer, document: IssuerDocument, signal: AbortSignal): Promise<JsonValue>
}

/** An issuer in the same process. */
export interface LocalIssuer {
  readonly algorithms: readonly string[]
  /** Its JWKS; read again whenever a remote one would be. */
  keys(): JsonValue | Promise<JsonValue>
}

/** Answers for issuers in this process without asking them over HTTP, which would need the very server that asks; the rest goes on. */
export class LocalIssuerSource implements IssuerSource {
  readonly #local: ReadonlyMap<string, LocalIssuer>
  readonly #remote: IssuerSource

  constructor(local: ReadonlyMap<string, LocalIssuer>, remote: IssuerSource) {
    this.#local = local
    this.#remote = remote
  }

  async discover(issuer: MatchedIssuer, signal: AbortSignal): Promise<IssuerDocument> {
    const local = this.#local.get(issuer.url)
    if (local === undefined) return this.#remote.discover(issuer, signal)
    return { jwksUri: '', algorithms: local.algorithms }
  }

  async fetchKeys(issuer: MatchedIssuer, document: IssuerDocument, signal: AbortSignal): Promise<JsonValue> {
    const local = this.#local.get(issuer.url)
    return local === undefined ? this.#remote.fetchKeys(issuer, document, signal) : local.keys()
  }
}
