import { createSign, generateKeyPairSync, sign as nodeSign, type KeyObject } from 'node:crypto'
import type { JsonValue } from '@touchmark/encoding'
import { CaError } from '../errors.js'
import type { IssuerSource } from '../identity/issuer-source.js'

const base64Url = (value: JsonValue | Uint8Array): string =>
  Buffer.from(value instanceof Uint8Array ? value : JSON.stringify(value)).toString('base64url')

/** Signs and publishes as an OpenID provider does; for what a test wants otherwise, tokens can be put together by hand. */
export class TestIssuer {
  readonly #rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #ed = generateKeyPairSync('ed25519')

  /** The public keys under the ids `rsa`, `ec` and `ed`. */
  get jwks(): { keys: Record<string, string>[] } {
    const publish = (key: KeyObject, kid: string): Record<string, string> =>
      ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' }) as Record<string, string>
    return {
      keys: [publish(this.#rsa.publicKey, 'rsa'), publish(this.#ec.publicKey, 'ec'), publish(this.#ed.publicKey, 'ed')],
    }
  }

  get rsaPublicPem(): string {
    return this.#rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string
  }

  /** An RS256 token. */
  token(claims: JsonValue, header: Readonly<Record<string, JsonValue>> = {}): string {
    return this.signRaw(JSON.stringify({ alg: 'RS256', kid: 'rsa', typ: 'JWT', ...header }), JSON.stringify(claims))
  }

  /** A token of these exact texts, signed with RS256 whatever the header says. */
  signRaw(header: string, payload: string): string {
    const input = `${base64Url(Buffer.from(header))}.${base64Url(Buffer.from(payload))}`
    return `${input}.${createSign('sha256').update(input).sign(this.#rsa.privateKey).toString('base64url')}`
  }

  ecToken(claims: JsonValue): string {
    const input = `${base64Url({ alg: 'ES256', kid: 'ec' })}.${base64Url(claims)}`
    const signature = nodeSign('sha256', Buffer.from(input), { key: this.#ec.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }

  edToken(claims: JsonValue): string {
    const input = `${base64Url({ alg: 'EdDSA', kid: 'ed' })}.${base64Url(claims)}`
    return `${input}.${nodeSign(null, Buffer.from(input), this.#ed.privateKey).toString('base64url')}`
  }
}

/** Issuers by URL, without HTTP; counts what is asked. */
export class MapSource implements IssuerSource {
  readonly asked: string[] = []
  readonly keySets: Map<string, JsonValue>
  algorithms: readonly string[] = ['RS256']

  constructor(keySets: Readonly<Record<string, JsonValue>>) {
    this.keySets = new Map(Object.entries(keySets))
  }

  async discover(issuer: { url: string }): Promise<{ jwksUri: string; algorithms: readonly string[] }> {
    this.asked.push(`discover ${issuer.url}`)
    if (!this.keySets.has(issuer.url)) throw new CaError('CA_ISSUER_UNAVAILABLE', `${issuer.url} does not answer`)
    return { jwksUri: `${issuer.url}/keys`, algorithms: this.algorithms }
  }

  async fetchKeys(issuer: { url: string }): Promise<JsonValue> {
    this.asked.push(`keys ${issuer.url}`)
    const keys = this.keySets.get(issuer.url)
    if (keys === undefined) throw new CaError('CA_ISSUER_UNAVAILABLE', `${issuer.url} does not answer`)
    return keys
  }
}
