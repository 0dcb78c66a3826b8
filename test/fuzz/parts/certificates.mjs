import { derElement, derExplicit, derOctetString, derOid, derSequence, TAG, utf8Encode } from '@touchmark/encoding'
import { assembleCertificate, parseCertificate } from '@touchmark/x509'
import { pemBlocks } from './recorded.mjs'

const recorded = [...pemBlocks('x509', 'CERTIFICATE'), ...pemBlocks('fulcio/certificates', 'CERTIFICATE')]
const { tbsHead, signatureAlgorithm, signature } = parseCertificate(recorded[0])

function named(...names) {
  const san = derSequence(derOid('2.5.29.17'), derOctetString(derSequence(...names)))
  return assembleCertificate(derSequence(tbsHead, derExplicit(3, derSequence(san))), signatureAlgorithm.der, signature)
}

const uri = (text) => derElement(0x86, utf8Encode(text))
const ip = (...octets) => derElement(0x87, Uint8Array.from(octets))
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]

/** With names of other kinds than Fulcio writes. */
export const oddCertificates = [
  named(derElement(0x82, utf8Encode('a.example.com')), ip(127, 0, 0, 1), ip(...mapped)),
  named(ip(0x20, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 1), uri('https://a/b')),
  named(derElement(0xa0, derOid('1.2.3'), derExplicit(0, derElement(TAG.utf8String, utf8Encode('x')))), uri('x')),
]

export const certificates = [...recorded, ...oddCertificates]
