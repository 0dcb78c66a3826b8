import { fulcioExtensions, type Certificate } from '@touchmark/x509'

export { parseCertificate } from '@touchmark/x509'

/** A certificate's holder in words: name, issuer, validity. */
export function describeSigner(certificate: Certificate): [string, string][] {
  const { issuer } = fulcioExtensions(certificate)
  const name = certificate.san[0]?.value
  return [
    ['certificate', name === undefined ? 'without a name' : `for ${name}`],
    ...(issuer === undefined ? [] : [['issuer', issuer] as [string, string]]),
    ['valid', `${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`],
  ]
}
