import type { CryptoPort } from '@touchmark/crypto'
import { hexEncode } from '@touchmark/encoding'
import { parseCertificate, type Certificate } from '@touchmark/x509'

/** A run signs its files with one certificate, and a release has few signers. */
const MAX_LEAVES = 64

const known = new WeakMap<CryptoPort, Map<string, Certificate>>()

/**
 * The certificate of a signer, read once for all bundles that carry the same bytes. With it stays what hangs on the object: its key as the port has imported
 * it, and that its issuer has signed it. Times, policies and everything of the bundle are looked at each time. Throws what `parseCertificate` throws.
 */
export function leafOf(der: Uint8Array, crypto: CryptoPort): Certificate {
  let leaves = known.get(crypto)
  if (leaves === undefined) known.set(crypto, (leaves = new Map()))
  const name = hexEncode(crypto.hash('SHA2_256', der))
  const before = leaves.get(name)
  if (before !== undefined) return before
  // The bundle's bytes are the caller's, who may write over them.
  const certificate = parseCertificate(Uint8Array.from(der))
  // The oldest goes: the order of a Map is that of its insertions.
  if (leaves.size === MAX_LEAVES) leaves.delete(leaves.keys().next().value!)
  leaves.set(name, certificate)
  return certificate
}
