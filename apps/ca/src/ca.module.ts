import { Module, type DynamicModule } from '@nestjs/common'
import type { CryptoPort } from '@touchmark/crypto'
import type { IssuerConfiguration } from '@touchmark/identity'
import type { Audit } from './audit/audit.js'
import { CertificateRequests } from './certificate-requests.js'
import { CaV1Controller } from './http/v1.controller.js'
import { CaV2Controller } from './http/v2.controller.js'
import type { TokenVerifier } from './identity/token-verifier.js'
import type { CertificateIssuer } from './issuance/index.js'
import type { IssuanceRecord } from './record/issuance-record.js'
import { CA_FACTS, CA_REPORT, CERTIFICATE_REQUESTS, type CaFacts, type CaReport } from './tokens.js'

export interface CaOptions {
  readonly issuer: CertificateIssuer
  readonly tokens: TokenVerifier
  /** What was certified for whom; shared by all processes of this CA. */
  readonly record: IssuanceRecord
  /** PEM of the issuing CA's certificate and those above it, root last. */
  readonly chainPem: readonly string[]
  readonly configuration: IssuerConfiguration
  readonly crypto: CryptoPort
  readonly audit: Audit
  readonly report?: CaReport
}

/** The certificate authority's routes. Whoever composes it adds CA_SHAPES to the route table. */
@Module({})
export class CaModule {
  static register(options: CaOptions): DynamicModule {
    const { issuer, tokens, record, crypto, audit, configuration } = options
    const facts: CaFacts = { chainsPem: [options.chainPem.map((pem) => `${pem.trim()}\n`)], configuration }
    return {
      module: CaModule,
      controllers: [CaV2Controller, CaV1Controller],
      providers: [
        { provide: CERTIFICATE_REQUESTS, useValue: new CertificateRequests({ tokens, issuer, record, crypto, audit }) },
        { provide: CA_FACTS, useValue: facts },
        { provide: CA_REPORT, useValue: options.report ?? (() => undefined) },
      ],
    }
  }
}
