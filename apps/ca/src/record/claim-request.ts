import type { CryptoPort } from '@touchmark/crypto'
import { concatBytes, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { Principal } from '@touchmark/identity'
import { CaError } from '../errors.js'
import type { Proven } from '../proof/proven.js'
import type { Claim, IssuanceRecord } from './issuance-record.js'

/**
 * Step 5 of life-of-a-certificate.md: takes the pair of token and key. Throws CA_REQUEST_REPLAYED, CA_KEY_OF_ANOTHER or CA_RECORD_UNAVAILABLE;
 * then nothing was signed.
 */
export async function claimRequest(
  record: IssuanceRecord,
  proven: Proven,
  principal: Principal,
  crypto: CryptoPort,
): Promise<Claim> {
  const sha256 = (bytes: Uint8Array): Uint8Array => crypto.hash('SHA2_256', bytes)
  const found = await record.claim({
    tokenSha256: sha256(utf8Encode(proven.token.signedPart)),
    spkiSha256: sha256(proven.publicKey.spki),
    principalSha256: sha256(principalBytes(principal)),
    bound: proven.bound,
    expiresAt: proven.token.expiresAt,
  })
  switch (found.outcome) {
    case 'claimed':
      return found.claim
    case 'replayed':
      throw new CaError('CA_REQUEST_REPLAYED', 'this token was used for this key before')
    case 'key-of-another':
      throw new CaError('CA_KEY_OF_ANOTHER', 'the key of the CSR was certified for another principal')
  }
}

/** Two texts that cannot run into each other: the first one's length comes first. */
function principalBytes({ issuer, name }: Principal): Uint8Array {
  const first = utf8Encode(issuer)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, first.length)
  return concatBytes(length, first, utf8Encode(name))
}

const NOT_LOGGED: readonly string[] = ['CA_SIGNING_FAILED', 'CA_CT_LOG_REFUSED']

/** True for a failure of `record` after which the certificate log surely has no entry: the same request may come again. */
export function isNotLogged(error: unknown): boolean {
  return isCodedError(error) && NOT_LOGGED.includes(error.code)
}
