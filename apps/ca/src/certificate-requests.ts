import type { CryptoPort } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { auditText, type Audit } from './audit/audit.js'
import type { TokenVerifier } from './identity/token-verifier.js'
import type { CertificateIssuer, Issued, Linted, Logged } from './issuance/index.js'
import { claimRequest, isNotLogged } from './record/claim-request.js'
import type { Claim, IssuanceRecord } from './record/issuance-record.js'
import { prove, type ProofRequest, type Proven } from './proof/proven.js'

export interface CertificateRequestsOptions {
  readonly tokens: TokenVerifier
  readonly issuer: CertificateIssuer
  readonly record: IssuanceRecord
  readonly crypto: CryptoPort
  readonly audit: Audit
}

/** The one way to a certificate: authenticate, prove, prepare, lint, claim, log, issue. Each step takes what only the step before it makes. */
export class CertificateRequests {
  readonly #options: CertificateRequestsOptions

  constructor(options: CertificateRequestsOptions) {
    this.#options = options
  }

  /**
   * `proof` is read after the token is verified, so that a request without a good token learns nothing else (ca.md §4, order of checks).
   * Every outcome is one line of the audit log; a refusal is thrown on.
   */
  async issue(api: 'v1' | 'v2', token: string, proof: ProofRequest): Promise<Issued> {
    try {
      const authenticated = await this.#options.tokens.authenticate(token)
      return await this.#certify(api, prove(authenticated, proof, this.#options.crypto))
    } catch (error) {
      const code = isCodedError(error) ? error.code : 'INTERNAL'
      const reason = error instanceof Error ? auditText(error.message) : 'unknown'
      this.#options.audit({ event: 'certificate-refused', api, code, reason })
      throw error
    }
  }

  async #certify(api: 'v1' | 'v2', proven: Proven): Promise<Issued> {
    const { issuer, record, crypto, audit } = this.#options
    const principal = proven.principal()
    const linted = issuer.lint(issuer.prepare(principal, proven.publicKey))
    const logged = await this.#log(linted, await claimRequest(record, proven, principal, crypto))
    const issued = await issuer.issue(logged)
    audit({
      event: 'certificate-issued',
      api,
      issuer: auditText(principal.issuer),
      subjectType: principal.subject.type,
      subject: auditText(principal.subject.value),
      keyType: proven.publicKey.type.kind,
      serialHex: issued.serialHex,
      notAfter: issued.certificate.notAfter.toISOString(),
    })
    return issued
  }

  /** A claim stays once the log may have the entry, whatever comes after: the request has had its one certificate. */
  async #log(linted: Linted, claim: Claim): Promise<Logged> {
    try {
      return await this.#options.issuer.record(linted)
    } catch (error) {
      if (isNotLogged(error)) await claim.release()
      throw error
    }
  }
}
