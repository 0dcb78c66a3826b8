import type { CryptoPort, SignatureScheme } from '@touchmark/crypto'
import { compareBytes, concatBytes, utf8Encode } from '@touchmark/encoding'
import { encodeEntryBody, ENTRY_VERSION, type EntrySignature } from './body.js'
import type { DsseRequest } from './request.js'
import { InvalidRequest, parseVerifier, verifiesMessage, type ParsedVerifier } from './verifier-key.js'

/** Of signatures and so of verifiers, counted before any is parsed: 10 × 10 verifications are the most one request can cost. */
const MAX_SIGNERS = 10

/** DSSE's pre-authentication encoding, `DSSEv1 <len(type)> <type> <len(payload)> <payload>`: what an envelope's signatures are over. */
function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8Encode(payloadType)
  return concatBytes(utf8Encode(`DSSEv1 ${type.length} `), type, utf8Encode(` ${payload.length} `), payload)
}

/** The envelope's signatures, each different one once, ascending by their bytes: the order in which they are stored. */
function distinctSignatures(request: DsseRequest): Uint8Array[] {
  const signatures = request.envelope?.signatures ?? []
  if (signatures.length === 0) throw new InvalidRequest('the envelope has no signature')
  if (signatures.length > MAX_SIGNERS) throw new InvalidRequest(`the envelope has ${signatures.length} signatures`)
  const sorted = signatures.map(({ sig }) => sig ?? new Uint8Array(0)).sort(compareBytes)
  if (sorted[0]!.length === 0) throw new InvalidRequest('a signature of the envelope is empty')
  return sorted.filter((sig, i) => i === 0 || compareBytes(sig, sorted[i - 1]!) !== 0)
}

/** An envelope is signed with pure Ed25519 under either name of it (log-v2.md §3). */
function schemeOf({ details }: ParsedVerifier): SignatureScheme {
  return details.scheme.kind === 'ed25519ph' ? { kind: 'ed25519' } : details.scheme
}

/**
 * Validates a dsse request (log-v2.md §3) and writes its body. Signatures and verifiers must pair off: every signature is verified by a verifier of its own,
 * and none is left over. The reference leaves to chance what it answers to a verifier without a signature; it is refused here.
 * Throws InvalidRequest, ENTRY_TOO_LARGE.
 */
export function dsseBody(request: DsseRequest, crypto: CryptoPort): Uint8Array {
  const { envelope, verifiers = [] } = request
  const signatures = distinctSignatures(request)
  // Equal numbers, and no verifier used twice below, make it a pairing; this also bounds the verifiers.
  if (signatures.length !== verifiers.length) {
    throw new InvalidRequest(`${signatures.length} different signatures, ${verifiers.length} verifiers`)
  }
  const parsed = verifiers.map((verifier) => parseVerifier(verifier, true))
  const payload = envelope?.payload ?? new Uint8Array(0)
  const message = preAuthenticationEncoding(envelope?.payloadType ?? '', payload)
  const used = new Set<ParsedVerifier>()
  const stored = signatures.map((content): EntrySignature => {
    const verifier = parsed.find((candidate) =>
      verifiesMessage(crypto, candidate.key, schemeOf(candidate), message, content),
    )
    if (verifier === undefined) throw new InvalidRequest('a signature is verified by no verifier')
    if (used.has(verifier)) throw new InvalidRequest('two signatures are by one key')
    used.add(verifier)
    return { content, verifier: verifier.stored }
  })
  const digest = crypto.hash('SHA2_256', payload)
  const payloadHash = { algorithm: 'SHA2_256', digest } as const
  return encodeEntryBody({ kind: 'dsse', version: ENTRY_VERSION, payloadHash, signatures: stored })
}
