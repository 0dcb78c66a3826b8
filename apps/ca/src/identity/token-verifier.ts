import type { Clock } from '@touchmark/clock'
import { isCodedError } from '@touchmark/errors'
import {
  findIssuer,
  identify,
  IdentityError,
  type Identity,
  type IssuerConfig,
  type IssuerConfiguration,
  type Principal,
} from '@touchmark/identity'
import { checkClaims } from './claims-rules.js'
import { IssuerKeys, type FetchedKeys } from './issuer-keys.js'
import type { IssuerSource, MatchedIssuer } from './issuer-source.js'
import { isSignedByOneOf } from './token-signature.js'
import { readToken, refuseToken, type UnverifiedToken } from './token-shape.js'

const MADE_HERE = Symbol('authenticated')

/** What is remembered of a token. */
export interface UsedToken {
  /** Header and payload as the issuer signed them: equal for equal tokens, however the signature is written. */
  readonly signedPart: string
  readonly expiresAt: Date
}

/** Somebody whose token was verified. Only {@link TokenVerifier} makes one. */
export class Authenticated {
  readonly token: UsedToken
  readonly #identity: Identity

  constructor(key: typeof MADE_HERE, identity: Identity, token: UsedToken) {
    if (key !== MADE_HERE) throw new TypeError('only the token verifier authenticates')
    this.#identity = identity
    this.token = token
  }

  /** What the proof of possession must have signed. */
  get name(): string {
    return this.#identity.name
  }

  /** Throws IDENTITY_SUBJECT_INVALID. */
  principal(): Principal {
    return this.#identity.principal()
  }
}

export interface TokenVerifierOptions {
  readonly configuration: IssuerConfiguration
  readonly source: IssuerSource
  readonly clock: Clock
}

/** Decides whom a token stands for (ca.md §5). */
export class TokenVerifier {
  readonly #configuration: IssuerConfiguration
  readonly #keys: IssuerKeys
  readonly #clock: Clock

  constructor({ configuration, source, clock }: TokenVerifierOptions) {
    this.#configuration = configuration
    this.#keys = new IssuerKeys(source, clock)
    this.#clock = clock
  }

  /**
   * Asks all fixed issuers for their keys, so that the first token does not wait. Issuers that do not answer are named to `unavailable` and
   * asked again with the first token. Never rejects.
   */
  async warmUp(unavailable: (issuerUrl: string, why: string) => void): Promise<void> {
    const ask = async (config: IssuerConfig): Promise<void> => {
      try {
        await this.#keys.get({ url: config.url, config })
      } catch (error) {
        unavailable(config.url, error instanceof Error ? error.message : 'unknown')
      }
    }
    await Promise.all(this.#configuration.issuers.filter((issuer) => !issuer.wildcard).map(ask))
  }

  /** Throws CA_TOKEN_REFUSED, CA_ISSUER_UNAVAILABLE or IDENTITY_CLAIMS_REFUSED: to a client all the same. */
  async authenticate(compact: string): Promise<Authenticated> {
    const token = readToken(compact)
    const config = findIssuer(this.#configuration, token.issuer)
    if (config === undefined) return refuseToken('the issuer is not configured')
    await this.#checkSignature(token, { url: token.issuer, config })
    // From here on the claims are the issuer's word.
    const expiresAt = checkClaims(token.claims, {
      issuer: token.issuer,
      audience: config.clientId,
      now: this.#clock.now(),
    })
    const signedPart = compact.slice(0, compact.lastIndexOf('.'))
    return new Authenticated(MADE_HERE, identify(token.claims, config, this.#configuration), { signedPart, expiresAt })
  }

  async #checkSignature(token: UnverifiedToken, issuer: MatchedIssuer): Promise<void> {
    const held = await this.#keys.get(issuer)
    if (await isSigned(token, held)) return
    // The issuer may have changed its keys.
    const newer = await this.#keys.refresh(issuer, held)
    if (newer !== undefined && (await isSigned(token, newer))) return
    refuseToken('the signature is not one of the issuer')
  }
}

async function isSigned(token: UnverifiedToken, { algorithms, keys }: FetchedKeys): Promise<boolean> {
  if (!algorithms.includes(token.algorithm)) return false
  return isSignedByOneOf(token, await keys.candidates(token.algorithm, token.keyId))
}

/** True for what a client is told of as a token that could not be processed. */
export function isTokenRefusal(error: unknown): boolean {
  if (error instanceof IdentityError) return error.code === 'IDENTITY_CLAIMS_REFUSED'
  return isCodedError(error) && (error.code === 'CA_TOKEN_REFUSED' || error.code === 'CA_ISSUER_UNAVAILABLE')
}
