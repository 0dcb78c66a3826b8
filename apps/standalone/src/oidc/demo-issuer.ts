import { createHash, createPrivateKey } from 'node:crypto'
import { privateKeyToPkcs8 } from '@touchmark/crypto/node'
import type { LocalIssuer } from '@touchmark/app-ca'
import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import type { JsonValue } from '@touchmark/encoding'
import type { Database } from '@touchmark/postgres'
import type { JWK } from 'oidc-provider'
import type { DemoIssuer } from './oidc.controller.js'
import { createDemoProvider } from './provider.js'

export interface DemoParts {
  /** For the HTTP routes. */
  readonly issuer: DemoIssuer
  readonly issuerUrl: string
  /** For the CA, which asks no server for the keys of an issuer in its own process. */
  readonly local: LocalIssuer
}

/** The demonstration issuer of an instance, signing with the instance's own key for it. */
export function demoIssuer(options: {
  publicUrl: string
  signer: Signer
  db: Database
  clock: Clock
  report: (error: Error) => void
}): DemoParts {
  const issuerUrl = `${options.publicUrl}/oidc`
  const kid = createHash('sha256').update(options.signer.publicKey.spki).digest('hex').slice(0, 16)
  const pkcs8 = Buffer.from(privateKeyToPkcs8(options.signer))
  const exported = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  pkcs8.fill(0)
  const signingKey = { ...exported, kid, use: 'sig', alg: 'RS256' } as JWK
  const publicKey: JsonValue = { kty: 'RSA', kid, use: 'sig', alg: 'RS256', n: exported.n!, e: exported.e! }
  const { db, clock, report } = options
  const provider = createDemoProvider({ issuer: issuerUrl, signingKey, db, clock, report })
  return {
    issuer: { provider, publicUrl: new URL(options.publicUrl) },
    issuerUrl,
    local: { algorithms: ['RS256'], keys: () => ({ keys: [publicKey] }) },
  }
}
