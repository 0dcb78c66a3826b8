import { equalBytes, hexDecode } from '@touchmark/encoding'
import type { PublicKey, SignatureScheme } from '@touchmark/crypto'
import { X509Error } from './errors.js'

interface KnownAlgorithm {
  /** The whole AlgorithmIdentifier, DER. */
  readonly der: Uint8Array
  /** What Go's crypto/x509 calls it; the CA's messages use these names. */
  readonly name: string
  readonly scheme?: SignatureScheme
}

const ecdsa = (hash: 'SHA2_256' | 'SHA2_384' | 'SHA2_512'): SignatureScheme => ({ kind: 'ecdsa', hash })
const rsa = (hash: 'SHA2_256' | 'SHA2_384' | 'SHA2_512'): SignatureScheme => ({ kind: 'rsa-pkcs1', hash })
const pss = (hashOid: string, saltLength: string): string => {
  const hash = `300d0609${hashOid}0500`
  return `304106092a864886f70d01010a3034a00f${hash}a11c301a06092a864886f70d010108${hash}a203020${saltLength}`
}

const ALGORITHMS: readonly KnownAlgorithm[] = (
  [
    ['300a06082a8648ce3d040302', 'ECDSA-SHA256', ecdsa('SHA2_256')],
    ['300a06082a8648ce3d040303', 'ECDSA-SHA384', ecdsa('SHA2_384')],
    ['300a06082a8648ce3d040304', 'ECDSA-SHA512', ecdsa('SHA2_512')],
    ['300d06092a864886f70d01010b0500', 'SHA256-RSA', rsa('SHA2_256')],
    ['300d06092a864886f70d01010c0500', 'SHA384-RSA', rsa('SHA2_384')],
    ['300d06092a864886f70d01010d0500', 'SHA512-RSA', rsa('SHA2_512')],
    ['300506032b6570', 'Ed25519', { kind: 'ed25519' }],
    ['300906072a8648ce3d0401', 'ECDSA-SHA1', undefined],
    ['300d06092a864886f70d0101050500', 'SHA1-RSA', undefined],
    ['300d06092a864886f70d0101040500', 'MD5-RSA', undefined],
    [pss('608648016503040201', '120'), 'SHA256-RSAPSS', undefined],
    [pss('608648016503040202', '130'), 'SHA384-RSAPSS', undefined],
    [pss('608648016503040203', '140'), 'SHA512-RSAPSS', undefined],
  ] as const
).map(([hex, name, scheme]) => ({ der: hexDecode(hex), name, ...(scheme === undefined ? {} : { scheme }) }))

/** A signature algorithm as read: what it is, when it is known, and how to check it, when it is taken. */
export interface SignatureAlgorithm {
  /** AlgorithmIdentifier DER, a view of what was read. */
  readonly der: Uint8Array
  /** Go's name; undefined for what Go does not know either. */
  readonly name?: string
  /** Undefined for algorithms that nothing here accepts (SHA-1, RSA-PSS, unknown ones). */
  readonly scheme?: SignatureScheme
}

/** Classifies an AlgorithmIdentifier by its exact DER (so RSA without its NULL is unknown). Never throws. */
export function signatureAlgorithm(der: Uint8Array): SignatureAlgorithm {
  for (const known of ALGORITHMS) if (equalBytes(known.der, der)) return { ...known, der }
  return { der }
}

/** True when a key of this type can make signatures of this scheme. */
export function schemeFitsKey(scheme: SignatureScheme, key: PublicKey): boolean {
  return (scheme.kind === 'rsa-pkcs1' ? 'rsa' : scheme.kind) === key.type.kind
}

/** AlgorithmIdentifier DER of a signer's scheme (ca.md §9 "signature"); throws X509_ALGORITHM_UNSUPPORTED. */
export function algorithmIdentifier(scheme: SignatureScheme): Uint8Array {
  const found = ALGORITHMS.find(
    (known) =>
      known.scheme?.kind === scheme.kind &&
      (!('hash' in scheme) || (known.scheme as { hash?: string }).hash === scheme.hash),
  )
  if (found === undefined)
    throw new X509Error('X509_ALGORITHM_UNSUPPORTED', `certificates cannot be signed with ${scheme.kind}`)
  return found.der
}
