import { DIGEST_BYTES, type CryptoPort } from '@touchmark/crypto'
import { encodeEntryBody, ENTRY_VERSION } from './body.js'
import type { HashedRekordRequest } from './request.js'
import { InvalidRequest, parseVerifier, verifiesDigest } from './verifier-key.js'

/**
 * Validates a hashedrekord request (log-v2.md §3) and writes its body. The signature is checked over the digest; what the digest is of is not known here.
 * Throws InvalidRequest, ENTRY_TOO_LARGE.
 */
export function hashedRekordBody(request: HashedRekordRequest, crypto: CryptoPort): Uint8Array {
  const { digest, signature } = request
  if (signature?.content === undefined || signature.content.length === 0) {
    throw new InvalidRequest('the signature is missing')
  }
  if (digest === undefined) throw new InvalidRequest('the digest is missing')
  const { key, details, stored } = parseVerifier(signature.verifier, false)
  if (digest.length !== DIGEST_BYTES[details.hash]) {
    throw new InvalidRequest(`the digest has ${digest.length} bytes, ${details.hash} has ${DIGEST_BYTES[details.hash]}`)
  }
  // Before the signature: the size of what would be stored is known, and costs nothing to refuse.
  const body = encodeEntryBody({
    kind: 'hashedrekord',
    version: ENTRY_VERSION,
    data: { algorithm: details.hash, digest },
    signature: { content: signature.content, verifier: stored },
  })
  if (!verifiesDigest(crypto, key, details.scheme, digest, signature.content)) {
    throw new InvalidRequest('the signature does not verify over the digest')
  }
  return body
}
