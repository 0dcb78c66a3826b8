import type { Clock } from '@touchmark/clock'
import type { CryptoPort, Signer } from '@touchmark/crypto'
import { IssuanceError, type PrecertificateLog } from '@touchmark/app-ca'
import { LedgerError, type LedgerErrorCode, type Log, type NewEntry } from '@touchmark/ledger'
import {
  buildPrecertLeaf,
  buildX509Leaf,
  ctLogId,
  encodeCertificateChain,
  encodePrecertChainEntry,
  type Sct,
} from '@touchmark/x509'

/** First entry of the certificate log: the issuing CA's own certificate, so that no caller's entry ever has an empty proof. */
export function certificateLogGenesis(issuing: Uint8Array, root: Uint8Array, at: Date): NewEntry {
  return {
    body: buildX509Leaf({ timestampMs: at.getTime(), certificate: issuing }),
    extra: encodeCertificateChain([root]),
  }
}

/**
 * The certificate log as the CA sees it: a precertificate is in the tree, under a committed checkpoint, before its SCT exists.
 * Merge delay is zero: the SCT is a promise that has been kept already.
 */
export function precertificateLog(
  log: Log,
  signer: Signer,
  options: { clock: Clock; crypto: CryptoPort },
): PrecertificateLog {
  const logId = ctLogId(signer.publicKey, options.crypto)
  return {
    async addPreChain({ precertificate, tbs, issuerKeyHash, chain }): Promise<Sct> {
      const timestampMs = options.clock.now().getTime()
      const body = buildPrecertLeaf({ timestampMs, issuerKeyHash, tbs })
      await log.append({ body, extra: encodePrecertChainEntry(precertificate, chain) }).catch(refuse)
      // What an SCT signs is, byte for byte, the leaf (RFC 6962 §3.2 and §3.4).
      const bytes = await signer.sign(body)
      return {
        version: 0,
        logId,
        timestampMs,
        extensions: new Uint8Array(),
        signature: { hash: 4, algorithm: 3, bytes },
      }
    },
  }
}

/** After these the ledger says that nothing was stored; after LEDGER_STATE_UNKNOWN and whatever else, nobody knows. */
const NOT_STORED: readonly LedgerErrorCode[] = [
  'LEDGER_ENTRY_INVALID',
  'LEDGER_ENTRY_TOO_LARGE',
  'LEDGER_ENTRY_REFUSED',
  'LEDGER_PUSHBACK',
  'LEDGER_CANCELLED',
  'LEDGER_FROZEN',
  'LEDGER_CLOSED',
  'LEDGER_UNAVAILABLE',
  'LEDGER_SIGNER_FAILED',
]

function refuse(cause: unknown): never {
  if (!(cause instanceof LedgerError) || !NOT_STORED.includes(cause.code)) throw cause
  throw new IssuanceError(
    'CA_CT_LOG_REFUSED',
    `the certificate log did not take the precertificate: ${cause.message}`,
    {
      cause,
    },
  )
}
