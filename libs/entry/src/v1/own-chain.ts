import type { CryptoPort } from '@touchmark/crypto'
import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { verifyCertificateSignature, type Certificate } from '@touchmark/x509'

const UNKNOWN_AUTHORITY = 'x509: certificate signed by unknown authority'

/**
 * Checks a chain as it was sent against its own last certificate, at the time the leaf begins (log-v1.md §6): nobody is trusted by this, only nonsense
 * is kept out of the log. Each certificate is visited once, so at most as many signatures are checked as there are pairs. Returns what is wrong.
 */
export function checkOwnChain(certificates: readonly Certificate[], crypto: CryptoPort): string | undefined {
  const leaf = certificates[0]!
  const root = certificates.at(-1)!
  const at = leaf.notBefore
  const reached = new Set<Certificate>([leaf])
  const open = [leaf]
  while (open.length > 0) {
    const child = open.pop()!
    if (isIssuer(root, child, at, crypto)) return undefined
    for (const candidate of certificates.slice(1, -1)) {
      if (reached.has(candidate) || !isIssuer(candidate, child, at, crypto)) continue
      reached.add(candidate)
      open.push(candidate)
    }
  }
  return UNKNOWN_AUTHORITY
}

function isIssuer(issuer: Certificate, child: Certificate, at: Date, crypto: CryptoPort): boolean {
  if (!equalBytes(issuer.subject, child.issuer)) return false
  if (issuer.version === 3 && issuer.basicConstraints?.ca !== true) return false
  if (at < issuer.notBefore || at > issuer.notAfter) return false
  try {
    verifyCertificateSignature(child, issuer.publicKey, crypto)
    return true
  } catch (error) {
    if (!isCodedError(error)) throw error
    return false
  }
}
