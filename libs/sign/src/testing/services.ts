import { canonicalise, parseEntryRequest } from '@touchmark/entry'
import { parsePublicKeyPem } from '@touchmark/crypto'
import { nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import type { TransparencyLogEntry } from '@touchmark/bundle'
import { base64Decode, base64Encode, pemEncode, utf8Encode } from '@touchmark/encoding'
import { createTimestampIssuer, parseTimestampRequest } from '@touchmark/timestamp'
import { NOW, type TestInstance } from '../../../verify/src/testing/instance.js'
import type { Fetch } from '../http.js'
import { readTokenClaims } from '../identity-token.js'

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An unsigned token, such as a client can read. */
export function testToken(claims: object = {}): string {
  const payload = {
    iss: 'https://oidc.example.com',
    sub: 'user-1',
    email: 'dev@example.com',
    email_verified: true,
    aud: 'sigstore',
    exp: 1_900_000_000,
    ...claims,
  }
  return `${part({ alg: 'RS256' })}.${part(payload)}.c2ln`
}

interface CertificateRequest {
  credentials: { oidcIdentityToken: string }
  publicKeyRequest: { publicKey: { content: string }; proofOfPossession: string }
}

export type ServiceName = 'ca' | 'log' | 'tsa'

export const URLS = {
  caUrl: 'https://ca.example.com',
  logUrl: 'https://log2026.example.com',
  tsaUrl: 'https://tsa.example.com/api/v1/timestamp',
} as const

/** The three services of an instance, with the real code behind them where there is a library for it, and answers that a test may change. */
export class TestServices {
  readonly #instance: TestInstance
  readonly #certified = new Set<string>()
  /** Replaces the answer of a service; undefined lets it pass. */
  change: (service: ServiceName, response: Response) => Response | Promise<Response> = (_service, response) => response
  readonly asked: { service: ServiceName; body: Uint8Array }[] = []

  constructor(instance: TestInstance) {
    this.#instance = instance
  }

  readonly fetch: Fetch = async (url, init) => {
    const body = new Uint8Array(await new Request('http://x', { method: 'POST', body: init.body! }).arrayBuffer())
    const service: ServiceName =
      url === `${URLS.caUrl}/api/v2/signingCert`
        ? 'ca'
        : url === `${URLS.logUrl}/api/v2/log/entries`
          ? 'log'
          : url === URLS.tsaUrl
            ? 'tsa'
            : ((): never => {
                throw new Error(`nobody serves ${url}`)
              })()
    this.asked.push({ service, body })
    return this.change(service, await this[service](body))
  }

  async ca(body: Uint8Array): Promise<Response> {
    const { credentials, publicKeyRequest } = JSON.parse(Buffer.from(body).toString()) as CertificateRequest
    const { principal } = readTokenClaims(credentials.oidcIdentityToken)
    const key = parsePublicKeyPem(publicKeyRequest.publicKey.content)
    const proof = base64Decode(publicKeyRequest.proofOfPossession)
    // One certificate for each pair of token and key, as the CA has it.
    const pair = `${credentials.oidcIdentityToken} ${publicKeyRequest.publicKey.content}`
    if (this.#certified.has(pair))
      return Response.json({ code: 3, message: 'This token was used for this key before' }, { status: 400 })
    this.#certified.add(pair)
    if (!nodeCrypto.verify(key, { kind: 'ecdsa', hash: 'SHA2_256' }, utf8Encode(principal), proof))
      return Response.json(
        { code: 3, message: 'The signature supplied in the request could not be verified' },
        { status: 400 },
      )
    const leaf = await this.#instance.issue({ key, san: { type: 'email', value: principal } })
    const chain = [leaf, ...this.#instance.caChain].map(({ der }) => pemEncode('CERTIFICATE', der).trim())
    return Response.json({ signedCertificateEmbeddedSct: { chain: { certificates: chain } } })
  }

  async log(body: Uint8Array): Promise<Response> {
    const entry = canonicalise(parseEntryRequest(body), nodeCrypto)
    const { kind, version } = entry
    const appended = await this.#instance.v2.append(entry.body, kind, version, { followedBy: 2 })
    return Response.json(entryJson(appended), { status: 201 })
  }

  async tsa(body: Uint8Array): Promise<Response> {
    const { tsaSigner, tsaChain } = this.#instance
    const issuer = createTimestampIssuer({
      signer: tsaSigner,
      chain: tsaChain,
      at: NOW,
      crypto: nodeCrypto,
      random: randomBytes,
    })
    const token = await issuer.issue(parseTimestampRequest(body), NOW)
    return new Response(Uint8Array.from(token), { status: 201 })
  }
}

/** An entry as Rekor's API v2 answers it. */
export function entryJson(entry: TransparencyLogEntry): Record<string, unknown> {
  const proof = entry.inclusionProof!
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: base64Encode(entry.logId) },
    kindVersion: entry.kindVersion,
    integratedTime: '0',
    inclusionPromise: null,
    inclusionProof: {
      logIndex: String(proof.logIndex),
      rootHash: base64Encode(proof.rootHash),
      treeSize: String(proof.treeSize),
      hashes: proof.hashes.map(base64Encode),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: base64Encode(entry.canonicalizedBody),
  }
}
