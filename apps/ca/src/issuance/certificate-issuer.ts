import type { Clock } from '@touchmark/clock'
import { equalBytes, hexEncode, pemEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { CryptoPort, PublicKey, Signer } from '@touchmark/crypto'
import type { Principal } from '@touchmark/identity'
import {
  algorithmIdentifier,
  assembleCertificate,
  LEAF_VALIDITY_SECONDS,
  lintLeaf,
  parseCertificate,
  precertTbs,
  prepareLeaf,
  randomSerial,
  verifyCertificateSignature,
  withPoison,
  withScts,
  X509Error,
} from '@touchmark/x509'
import type { Certificate, LeafInput, LeafParts, RandomBytes, SignedCertificateTimestamp } from '@touchmark/x509'
import { checkSct } from './check-sct.js'
import { withDeadline } from './deadline.js'
import { IssuanceError } from './errors.js'
import { checkIssuingChain } from './issuing-chain.js'
import type { PrecertificateLog } from './precertificate-log.js'
import { SingleUse } from './single-use.js'
import type { Ticket } from './single-use.js'

export interface IssuerOptions {
  /** The issuing CA's key. */
  readonly signer: Signer
  /** Issuing CA first, root last. */
  readonly chain: readonly Certificate[]
  readonly log: PrecertificateLog
  /** The certificate log's key: every SCT must be by it. */
  readonly logKey: PublicKey
  readonly crypto: CryptoPort
  readonly clock: Clock
  /** A cryptographic source; serial numbers come from it. */
  readonly random: RandomBytes
  /** How long the certificate log may take. Clients wait 20 s and more. */
  readonly logDeadlineMs?: number
}

/** Fields are written, nothing is checked. */
export type Prepared = Ticket<'prepared'>
/** The TBS follows the profile; it may be signed as a precertificate. */
export type Linted = Ticket<'linted'>
/** The precertificate is in the log, and its SCT was verified. */
export type Logged = Ticket<'logged'>

/** A certificate that may leave the house. */
export interface Issued {
  readonly certificate: Certificate
  readonly der: Uint8Array
  /** PEM blocks, leaf first, root last, each with a newline at its end. */
  readonly chainPem: readonly string[]
  readonly sct: SignedCertificateTimestamp
  readonly serialHex: string
}

interface Draft {
  readonly parts: LeafParts
  /** TBSCertificate of the precertificate. */
  readonly poisoned: Uint8Array
  readonly principal: Principal
  readonly publicKey: PublicKey
  readonly notBefore: Date
}

interface Recorded {
  readonly parts: LeafParts
  /** What the log holds, and what the certificate must be without its SCT list. */
  readonly tbs: Uint8Array
  readonly sct: SignedCertificateTimestamp
}

const DEFAULT_LOG_DEADLINE_MS = 10_000
/** A log's entries have at most 65,535 bytes, and a signature log writes a certificate in base64 beside other things. */
const MAX_TBS_BYTES = 32_768

/**
 * Steps 3 to 10 of life-of-a-certificate.md. Each step takes what the one before made, once; any other order does not
 * compile. Only `issue` gives bytes out.
 */
export class CertificateIssuer {
  readonly #options: IssuerOptions
  readonly #chain: readonly [Certificate, ...Certificate[]]
  readonly #chainDer: readonly Uint8Array[]
  readonly #chainPem: readonly string[]
  readonly #algorithm: Uint8Array
  readonly #issuerKeyHash: Uint8Array
  readonly #prepared = new SingleUse<'prepared', Draft>()
  readonly #linted = new SingleUse<'linted', Draft>()
  readonly #logged = new SingleUse<'logged', Recorded>()

  /** Throws CA_CONFIG_INVALID when signer, chain and log key cannot make a CA. */
  constructor(options: IssuerOptions) {
    const { chain, signer, logKey, crypto } = options
    checkIssuingChain(chain, signer, logKey, crypto)
    this.#options = options
    this.#chain = chain
    this.#chainDer = chain.map(({ der }) => der)
    this.#chainPem = this.#chainDer.map((der) => pemEncode('CERTIFICATE', der))
    this.#algorithm = algorithmIdentifier(signer.scheme)
    this.#issuerKeyHash = crypto.hash('SHA2_256', chain[0].spki)
  }

  /** Issuing CA first, root last, each with a newline at its end. */
  get chainPem(): readonly string[] {
    return this.#chainPem
  }

  /**
   * Step 3. Writes the fields for one authenticated principal and the key whose possession it proved. Throws what is the
   * client's fault, CA_SAN_NOT_IA5, CA_SAN_INVALID, CA_ISSUER_EMPTY, CA_CERTIFICATE_TOO_LARGE, and CA_CHAIN_EXPIRED.
   */
  prepare(principal: Principal, publicKey: PublicKey): Prepared {
    const notBefore = wholeSecond(this.#options.clock.now())
    const notAfter = new Date(notBefore.getTime() + LEAF_VALIDITY_SECONDS * 1000)
    for (const ca of this.#chain)
      if (notBefore < ca.notBefore || notAfter > ca.notAfter)
        throw new IssuanceError('CA_CHAIN_EXPIRED', 'a certificate of now would outlive the CA or be older than it')
    const serial = randomSerial(this.#options.random)
    const parts = writeParts({
      issuer: this.#chain[0],
      signatureAlgorithm: this.#algorithm,
      publicKey,
      san: principal.subject,
      oidcIssuer: principal.issuer,
      extensions: principal.extensions,
      serial,
      notBefore,
      notAfter,
    })
    const poisoned = withPoison(parts)
    if (poisoned.length > MAX_TBS_BYTES)
      throw new IssuanceError('CA_CERTIFICATE_TOO_LARGE', `the certificate would have more than ${MAX_TBS_BYTES} bytes`)
    return this.#prepared.give(hexEncode(serial), {
      parts,
      poisoned,
      principal,
      publicKey,
      notBefore,
    })
  }

  /** Step 4. Reads the TBS again and holds it against the profile. Throws CA_LINT_FAILED. */
  lint(prepared: Prepared): Linted {
    const draft = this.#prepared.take(prepared)
    try {
      lintLeaf({
        tbs: draft.poisoned,
        chain: this.#chain,
        signatureAlgorithm: this.#algorithm,
        publicKey: draft.publicKey,
        san: draft.principal.subject,
      })
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw new IssuanceError('CA_LINT_FAILED', cause.message, { cause })
    }
    return this.#linted.give(prepared.serialHex, draft)
  }

  /**
   * Steps 6 to 8. Signs the precertificate, has it logged, and checks the SCT: our log, this TBS, now.
   * Throws CA_SIGNING_FAILED or CA_CT_LOG_REFUSED before anything was logged; CA_CT_LOG_FAILED, CA_SCT_INVALID when it may have been.
   */
  async record(linted: Linted): Promise<Logged> {
    const { parts, poisoned, notBefore } = this.#linted.take(linted)
    const { log, logKey, clock, crypto, logDeadlineMs = DEFAULT_LOG_DEADLINE_MS } = this.#options
    const precertificate = await this.#sign(poisoned)
    const tbs = precertTbs(parseCertificate(precertificate))
    // Step 7. A crash from here on leaves at worst an entry for a certificate that nobody has: the log shows one too many,
    // never one too few.
    const input = { precertificate, tbs, issuerKeyHash: this.#issuerKeyHash, chain: this.#chainDer }
    const sct = await withDeadline((signal) => log.addPreChain({ ...input, signal }), logDeadlineMs)
    const entry = { type: 'precert', issuerKeyHash: this.#issuerKeyHash, tbs } as const
    checkSct({ sct, entry, logKey, crypto, notBefore, now: clock.now() })
    return this.#logged.give(linted.serialHex, { parts, tbs, sct })
  }

  /**
   * Steps 9 and 10. Signs the certificate and compares it, byte by byte, with what the log holds.
   * Throws CA_SIGNING_FAILED, CA_CERTIFICATE_MISMATCH.
   */
  async issue(logged: Logged): Promise<Issued> {
    const { parts, tbs, sct } = this.#logged.take(logged)
    const der = await this.#sign(withScts(parts, [sct]))
    const certificate = this.#checkFinal(der, tbs)
    const chainPem = [pemEncode('CERTIFICATE', der), ...this.#chainPem]
    return { certificate, der, chainPem, sct, serialHex: logged.serialHex }
  }

  /** Step 10: reads the bytes that will be handed out, apart from what wrote them. */
  #checkFinal(der: Uint8Array, loggedTbs: Uint8Array): Certificate {
    try {
      const certificate = parseCertificate(der)
      if (!equalBytes(precertTbs(certificate), loggedTbs))
        throw new IssuanceError('CA_CERTIFICATE_MISMATCH', 'the certificate is not the one that was logged')
      verifyCertificateSignature(certificate, this.#chain[0].publicKey, this.#options.crypto)
      return certificate
    } catch (cause) {
      if (cause instanceof IssuanceError || !isCodedError(cause)) throw cause
      throw new IssuanceError('CA_SIGNING_FAILED', `what the CA signed does not verify: ${cause.message}`, { cause })
    }
  }

  async #sign(tbs: Uint8Array): Promise<Uint8Array> {
    try {
      return assembleCertificate(tbs, this.#algorithm, await this.#options.signer.sign(tbs))
    } catch (cause) {
      throw new IssuanceError('CA_SIGNING_FAILED', "the CA's key could not sign", { cause })
    }
  }
}

function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000)
}

function writeParts(input: LeafInput): LeafParts {
  if (input.san.value === '' || !input.san.value.isWellFormed())
    throw new IssuanceError('CA_SAN_INVALID', 'the subject alternative name is empty or not well-formed')
  try {
    return prepareLeaf(input)
  } catch (cause) {
    if (!(cause instanceof X509Error)) throw cause
    if (cause.code === 'X509_SAN_NOT_IA5') throw new IssuanceError('CA_SAN_NOT_IA5', cause.message, { cause })
    if (cause.code === 'X509_EXTENSION_INVALID') throw new IssuanceError('CA_ISSUER_EMPTY', cause.message, { cause })
    throw cause
  }
}

/** Throws CA_CONFIG_INVALID. */
export function createIssuer(options: IssuerOptions): CertificateIssuer {
  return new CertificateIssuer(options)
}
