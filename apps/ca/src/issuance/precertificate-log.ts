import type { SignedCertificateTimestamp } from '@touchmark/x509'

/** What a certificate log is handed (RFC 6962 §4.2). All members are DER. */
export interface PreChain {
  readonly precertificate: Uint8Array
  /** The precertificate's TBSCertificate without the poison: what the log's leaf holds and the SCT signs. */
  readonly tbs: Uint8Array
  /** SHA-256 of the issuing CA's SPKI. */
  readonly issuerKeyHash: Uint8Array
  /** Issuing CA first, root last. */
  readonly chain: readonly Uint8Array[]
  /** Aborts when the caller has stopped waiting. */
  readonly signal: AbortSignal
}

/** The certificate log, wherever it runs. */
export interface PrecertificateLog {
  /**
   * Logs one precertificate. MUST NOT resolve before the entry is durable (or promised by a log of others), and MUST reject
   * when it may not be: with CA_CT_LOG_REFUSED when it surely is not there and will not come, with anything else when nobody knows.
   * Its answer is not trusted: the SCT is verified by the caller.
   */
  addPreChain(input: PreChain): Promise<SignedCertificateTimestamp>
}
