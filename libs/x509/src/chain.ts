import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { CryptoPort } from '@touchmark/crypto'
import type { Certificate } from './certificate.js'
import { X509Error } from './errors.js'
import type { ChainErrorCode } from './errors.js'
import { EXTENSION_OID, PURPOSE_OID } from './oids.js'
import type { Purpose } from './oids.js'
import { nameToString } from './names.js'
import { verifyCertificateSignature } from './verify-signature.js'

export interface ChainInput {
  readonly leaf: Certificate
  /** Candidates; nothing about them is trusted. */
  readonly intermediates: readonly Certificate[]
  /** Trust anchors. Dates, usages and constraints of an anchor are checked like those of any CA; its own signature is not. */
  readonly roots: readonly Certificate[]
  /** When the leaf was used. Every certificate of the path, the anchor too, must be valid then. */
  readonly at: Date
  readonly purpose: Purpose
  readonly crypto: CryptoPort
}

/** Certificates in a path, leaf and anchor included. */
const MAX_PATH = 8
/** Links looked at in one search: bounds the work on a hostile set of candidates (reliability.md X5). */
const MAX_LINKS = 64
const MAX_CANDIDATES = 64

const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION_OID.keyUsage,
  EXTENSION_OID.extKeyUsage,
  EXTENSION_OID.basicConstraints,
  EXTENSION_OID.subjectAltName,
  EXTENSION_OID.subjectKeyIdentifier,
  EXTENSION_OID.authorityKeyIdentifier,
])

interface Search extends ChainInput {
  links: number
  /** The failure that came furthest, which is the one worth telling. */
  failure: X509Error | undefined
  failureDepth: number
}

/**
 * Finds a path from the leaf to an anchor that was valid at `at` and may be used for `purpose`; leaf first, anchor last.
 *
 * Issuers are found by equal name bytes and proven by signature; key identifiers only say whom to try first. Checked for
 * each certificate: dates, critical extensions; for each CA: basicConstraints, path length, keyCertSign, purposes nested
 * down to the leaf. A certificate with name constraints is refused, since they are not evaluated here.
 *
 * Throws X509_CHAIN_* : what is wrong with the leaf, or with the path that came furthest.
 */
export function buildChain(input: ChainInput): Certificate[] {
  checkLeaf(input)
  if (input.intermediates.length + input.roots.length > MAX_CANDIDATES)
    fail('X509_CHAIN_TOO_MUCH_WORK', `more than ${MAX_CANDIDATES} candidate certificates`)
  const search: Search = { ...input, links: 0, failure: undefined, failureDepth: -1 }
  const path = extend(search, [input.leaf])
  if (path !== undefined) return path
  throw search.failure!
}

function fail(code: ChainErrorCode, message: string): never {
  throw new X509Error(code, message)
}

function extend(search: Search, path: readonly Certificate[]): Certificate[] | undefined {
  const child = path[path.length - 1]!
  let tried = 0
  for (const [candidates, anchor] of [
    [search.roots, true],
    [search.intermediates, false],
  ] as const) {
    for (const issuer of byHint(candidates, child)) {
      if (!equalBytes(issuer.subject, child.issuer) || path.includes(issuer)) continue
      tried++
      const longer = [...path, issuer]
      const failure = problemOf(search, longer)
      if (failure !== undefined) {
        note(search, failure, path.length)
        if (failure.code === 'X509_CHAIN_TOO_MUCH_WORK') throw failure
        continue
      }
      if (anchor) return longer
      if (longer.length === MAX_PATH) {
        note(
          search,
          new X509Error('X509_CHAIN_TOO_MUCH_WORK', `a path of more than ${MAX_PATH} certificates`),
          path.length,
        )
        continue
      }
      const found = extend(search, longer)
      if (found !== undefined) return found
    }
  }
  if (tried === 0)
    note(
      search,
      new X509Error(
        'X509_CHAIN_UNKNOWN_ISSUER',
        `no certificate of the issuer "${nameToString(child.issuer)}" is known`,
      ),
      path.length - 0.5,
    )
  return undefined
}

function note(search: Search, failure: X509Error, depth: number): void {
  if (depth <= search.failureDepth) return
  search.failure = failure
  search.failureDepth = depth
}

function byHint(candidates: readonly Certificate[], child: Certificate): readonly Certificate[] {
  const { aki } = child
  if (aki === undefined || candidates.length < 2) return candidates
  const hinted = (candidate: Certificate): number => (candidate.ski && equalBytes(candidate.ski, aki) ? 0 : 1)
  return [...candidates].sort((a, b) => hinted(a) - hinted(b))
}

/** Checks the last certificate of the path as issuer of the one before it. */
function problemOf(search: Search, path: readonly Certificate[]): X509Error | undefined {
  const issuer = path[path.length - 1]!
  try {
    // The signature first: what a certificate says matters only once it is known to be the issuer.
    verifyLink(search, path[path.length - 2]!, issuer)
    checkCa(search, issuer, path)
    return undefined
  } catch (error) {
    if (error instanceof X509Error) return error
    if (!isCodedError(error)) throw error
    return new X509Error('X509_CHAIN_ALGORITHM', `the issuer's key cannot be used: ${error.message}`, { cause: error })
  }
}

// Links that a port has proven, for as long as somebody holds both certificates. A verifier keeps those of its trusted root and of the
// last signers, and a P-384 verification costs as much as all the rest.
const proven = new WeakMap<CryptoPort, WeakMap<Certificate, WeakSet<Certificate>>>()

function verifyLink(search: Search, child: Certificate, issuer: Certificate): void {
  if (search.links++ === MAX_LINKS) fail('X509_CHAIN_TOO_MUCH_WORK', `more than ${MAX_LINKS} signatures to look at`)
  if (proven.get(search.crypto)?.get(child)?.has(issuer) === true) return
  try {
    verifyCertificateSignature(child, issuer.publicKey, search.crypto)
  } catch (cause) {
    if (!(cause instanceof X509Error)) throw cause
    const code = cause.code === 'X509_SIGNATURE_INVALID' ? 'X509_CHAIN_SIGNATURE' : 'X509_CHAIN_ALGORITHM'
    throw new X509Error(code, `"${nameToString(issuer.subject)}": ${cause.message}`, { cause })
  }
  let links = proven.get(search.crypto)
  if (links === undefined) proven.set(search.crypto, (links = new WeakMap()))
  const issuers = links.get(child)
  if (issuers === undefined) links.set(child, new WeakSet([issuer]))
  else issuers.add(issuer)
}

function checkLeaf(input: ChainInput): void {
  const { leaf, purpose } = input
  checkDates(leaf, input.at, 'the certificate')
  checkCritical(leaf)
  if (leaf.basicConstraints?.ca === true) fail('X509_CHAIN_LEAF_IS_CA', 'the certificate is a CA, not an end entity')
  const usage = leaf.keyUsage
  const signs = usage?.digitalSignature === true || (purpose === 'timeStamping' && usage?.contentCommitment === true)
  if (usage !== undefined && !signs) fail('X509_CHAIN_KEY_USAGE', 'the key of the certificate may not make signatures')
  const purposes = leaf.extKeyUsage ?? []
  if (!purposes.includes(PURPOSE_OID[purpose])) fail('X509_CHAIN_PURPOSE', `the certificate is not for ${purpose}`)
  // RFC 3161 §2.3: one purpose, critical.
  if (purpose === 'timeStamping') {
    const critical = leaf.extensions.get(EXTENSION_OID.extKeyUsage)?.critical === true
    if (purposes.length !== 1 || !critical)
      fail('X509_CHAIN_PURPOSE', 'a timestamping certificate has one purpose, marked critical')
  }
}

function checkCa(search: Search, ca: Certificate, path: readonly Certificate[]): void {
  const name = `"${nameToString(ca.subject)}"`
  checkDates(ca, search.at, `the CA ${name}`)
  checkCritical(ca)
  if (ca.version !== 3 || ca.basicConstraints?.ca !== true) fail('X509_CHAIN_NOT_CA', `${name} is not a CA`)
  if (ca.keyUsage !== undefined && !ca.keyUsage.keyCertSign)
    fail('X509_CHAIN_KEY_USAGE', `the CA ${name} may not sign certificates`)
  // RFC 5280 §4.2.1.9: CAs between this one and the leaf, self-issued ones not counted.
  const between = path.slice(1, -1).filter((certificate) => !certificate.isSelfIssued).length
  const { pathLength } = ca.basicConstraints
  if (pathLength !== undefined && between > pathLength)
    fail('X509_CHAIN_PATH_LENGTH', `the CA ${name} allows ${pathLength} CAs below it, there are ${between}`)
  const purposes = ca.extKeyUsage
  if (purposes !== undefined && !purposes.includes(PURPOSE_OID[search.purpose]) && !purposes.includes(PURPOSE_OID.any))
    fail('X509_CHAIN_PURPOSE', `the CA ${name} is not for ${search.purpose}`)
}

function checkDates(certificate: Certificate, at: Date, what: string): void {
  const time = at.getTime()
  // Both ends belong to the validity (RFC 5280 §4.1.2.5). Written so that an invalid date fails.
  if (!(time >= certificate.notBefore.getTime()))
    fail('X509_CHAIN_NOT_YET_VALID', `${what} is valid from ${certificate.notBefore.toISOString()}`)
  if (!(time <= certificate.notAfter.getTime()))
    fail('X509_CHAIN_EXPIRED', `${what} expired at ${certificate.notAfter.toISOString()}`)
}

function checkCritical(certificate: Certificate): void {
  for (const { oid, critical } of certificate.extensions.values())
    if ((critical && !UNDERSTOOD.has(oid)) || oid === EXTENSION_OID.nameConstraints)
      fail('X509_CHAIN_CRITICAL_EXTENSION', `extension ${oid} is not understood and may not be ignored`)
}
