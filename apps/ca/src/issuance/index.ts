export { CertificateIssuer, createIssuer } from './certificate-issuer.js'
export type { Issued, IssuerOptions, Linted, Logged, Prepared } from './certificate-issuer.js'
export * from './errors.js'
export type { PreChain, PrecertificateLog } from './precertificate-log.js'
