import { derExplicit, derSequence } from '@touchmark/encoding'
import type { TbsCertificate } from './certificate.js'
import { X509Error } from './errors.js'
import { EXTENSION_OID } from './oids.js'

type Parts = Pick<TbsCertificate, 'tbsHead' | 'extensions'>

/**
 * The TBSCertificate that a certificate log saw (RFC 6962 §3.2): of a final certificate without its SCT list, of a
 * precertificate without its poison. Every other byte is copied, none is encoded again but the three lengths around.
 * Throws X509_PRECERT_INVALID unless exactly one of the two extensions is there.
 */
export function precertTbs(certificate: Parts): Uint8Array {
  const found = [EXTENSION_OID.sctList, EXTENSION_OID.poison].filter((oid) => certificate.extensions.has(oid))
  if (found.length !== 1)
    throw new X509Error('X509_PRECERT_INVALID', 'exactly one of SCT list and poison must be in the certificate')
  const kept = [...certificate.extensions.values()].filter(({ oid }) => oid !== found[0]).map(({ bytes }) => bytes)
  return kept.length === 0
    ? derSequence(certificate.tbsHead)
    : derSequence(certificate.tbsHead, derExplicit(3, derSequence(...kept)))
}
