import type { KeyType, PublicKey, Signer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { createTimestampIssuer } from '@touchmark/timestamp'
import { TRUSTED_ROOT_MEDIA_TYPE, type Authority, type LogInstance, type TrustedRoot } from '@touchmark/trust'
import {
  algorithmIdentifier,
  assembleCertificate,
  buildIntermediateCertificate,
  buildRootCertificate,
  buildTsaLeaf,
  parseCertificate,
  plainTbs,
  prepareLeaf,
  randomSerial,
  signSct,
  withScts,
  type Certificate,
  type FulcioExtensionValues,
  type Sct,
  type SubjectAltName,
} from '@touchmark/x509'
import { TestLog } from './test-log.js'

const P256: KeyType = { kind: 'ecdsa', curve: 'P-256' }

/** The instant at which every fixture is signed. */
export const NOW = new Date('2026-06-01T12:00:00Z')
export const START = new Date('2026-01-01T00:00:00Z')
export const END = new Date('2036-01-01T00:00:00Z')

/** `date` moved by seconds. */
export function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000)
}

export interface InstanceOptions {
  /** In all names of its certificates; `example.com` unless given. */
  readonly organization?: string
  /** Of the v2 log. */
  readonly logKey?: KeyType
  /** Of the v1 log. */
  readonly v1Signer?: Signer
  readonly caDates?: { readonly notBefore: Date; readonly notAfter: Date }
  readonly intermediateDates?: { readonly notBefore: Date; readonly notAfter: Date }
}

export interface LeafOptions {
  readonly key: PublicKey
  readonly san?: SubjectAltName
  readonly oidcIssuer?: string
  readonly extensions?: FulcioExtensionValues
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** What is put in place of the one SCT of this instance's own certificate log. */
  readonly scts?: (own: Sct) => readonly Sct[] | Promise<readonly Sct[]>
  /** Changes the certificate's TBS before it is signed, and before its own SCT is made. */
  readonly changeTbs?: (tbs: Uint8Array) => Uint8Array
}

export const SAN: SubjectAltName = { type: 'email', value: 'dev@example.com' }
export const OIDC_ISSUER = 'https://oidc.example.com'

/** A whole instance with new keys: CA of root and intermediate, certificate log, logs of both APIs, timestamp authority. All instances have the same names. */
export class TestInstance {
  readonly crypto = nodeCrypto
  readonly caSigner: Signer
  readonly caChain: readonly [Certificate, Certificate]
  readonly ctSigner: Signer
  readonly v1: TestLog
  readonly v2: TestLog
  readonly tsaRootSigner: Signer
  readonly tsaSigner: Signer
  /** Leaf, root. */
  readonly tsaChain: readonly [Certificate, Certificate]

  private constructor(
    parts: Pick<
      TestInstance,
      'caSigner' | 'caChain' | 'ctSigner' | 'v1' | 'v2' | 'tsaRootSigner' | 'tsaSigner' | 'tsaChain'
    >,
  ) {
    this.caSigner = parts.caSigner
    this.caChain = parts.caChain
    this.ctSigner = parts.ctSigner
    this.v1 = parts.v1
    this.v2 = parts.v2
    this.tsaRootSigner = parts.tsaRootSigner
    this.tsaSigner = parts.tsaSigner
    this.tsaChain = parts.tsaChain
  }

  static async create(options: InstanceOptions = {}): Promise<TestInstance> {
    const dates = { notBefore: START, notAfter: END }
    const caDates = options.caDates ?? dates
    const rootSigner = generateSigner(P256)
    const caSigner = generateSigner(P256)
    const { organization = 'example.com' } = options
    const name = (commonName: string) => ({ organization, commonName })
    const root = parseCertificate(
      await buildRootCertificate({ subject: name('root'), ...caDates, signer: rootSigner, random: randomBytes }),
    )
    const intermediate = parseCertificate(
      await buildIntermediateCertificate({
        subject: name('intermediate'),
        ...(options.intermediateDates ?? caDates),
        signer: rootSigner,
        random: randomBytes,
        key: caSigner.publicKey,
        issuer: root,
        purpose: 'codeSigning',
      }),
    )
    const tsaRootSigner = generateSigner(P256)
    const tsaSigner = generateSigner(P256)
    const tsaRoot = parseCertificate(
      await buildRootCertificate({ subject: name('tsa root'), ...dates, signer: tsaRootSigner, random: randomBytes }),
    )
    const tsaLeaf = parseCertificate(
      await buildTsaLeaf({
        subject: name('tsa'),
        ...dates,
        signer: tsaRootSigner,
        random: randomBytes,
        key: tsaSigner.publicKey,
        issuer: tsaRoot,
      }),
    )
    return new TestInstance({
      caSigner,
      caChain: [intermediate, root],
      ctSigner: generateSigner(P256),
      v1: new TestLog(options.v1Signer ?? generateSigner(P256), 'rekor.example.com - 1234567890'),
      v2: new TestLog(generateSigner(options.logKey ?? P256), 'log2026.example.com'),
      tsaRootSigner,
      tsaSigner,
      tsaChain: [tsaLeaf, tsaRoot],
    })
  }

  /** A certificate of this CA, valid for ten minutes around {@link NOW}, with one SCT of this instance's certificate log. */
  async issue(options: LeafOptions): Promise<Certificate> {
    const [issuer] = this.caChain
    const algorithm = algorithmIdentifier(this.caSigner.scheme)
    const parts = prepareLeaf({
      issuer,
      signatureAlgorithm: algorithm,
      publicKey: options.key,
      san: options.san ?? SAN,
      oidcIssuer: options.oidcIssuer ?? OIDC_ISSUER,
      extensions: options.extensions ?? {},
      serial: randomSerial(randomBytes),
      notBefore: options.notBefore ?? later(NOW, -60),
      notAfter: options.notAfter ?? later(NOW, 540),
    })
    const change = options.changeTbs ?? ((tbs) => tbs)
    const own = await this.sct(change(plainTbs(parts)))
    const scts = options.scts ? await options.scts(own) : [own]
    const tbs = change(scts.length === 0 ? plainTbs(parts) : withScts(parts, scts))
    return parseCertificate(assembleCertificate(tbs, algorithm, await this.caSigner.sign(tbs)))
  }

  /** An SCT of this instance's certificate log over a TBS without SCT list. */
  sct(tbs: Uint8Array, at: Date = NOW, signer: Signer = this.ctSigner): Promise<Sct> {
    const issuerKeyHash = nodeCrypto.hash('SHA2_256', this.caChain[0].spki)
    return signSct({ timestampMs: at.getTime(), entry: { type: 'precert', issuerKeyHash, tbs } }, signer, nodeCrypto)
  }

  /** A TimeStampResp over the bytes. */
  timestamp(message: Uint8Array, at: Date = NOW): Promise<Uint8Array> {
    const issuer = createTimestampIssuer({
      signer: this.tsaSigner,
      chain: this.tsaChain,
      at,
      crypto: nodeCrypto,
      random: randomBytes,
    })
    const digest = nodeCrypto.hash('SHA2_256', message)
    return issuer.issue({ hashAlgorithm: 'SHA2_256', digest, certReq: false, extensions: [] }, at)
  }

  get trustedRoot(): TrustedRoot {
    const authority = (name: string, chain: readonly [Certificate, ...Certificate[]]): Authority => ({
      subject: { organization: 'example.com', commonName: name },
      uri: `https://${name}.example.com`,
      certificates: [chain[0].der, ...chain.slice(1).map(({ der }) => der)],
      validFor: { start: START },
    })
    return {
      mediaType: TRUSTED_ROOT_MEDIA_TYPE,
      tlogs: [this.v1.instance('https://rekor.example.com'), this.v2.instance('https://log2026.example.com')],
      certificateAuthorities: [authority('ca', this.caChain)],
      ctlogs: [
        logInstance(
          this.ctSigner.publicKey,
          'https://ct.example.com',
          nodeCrypto.hash('SHA2_256', this.ctSigner.publicKey.spki),
        ),
      ],
      timestampAuthorities: [authority('tsa', this.tsaChain)],
    }
  }
}

export function logInstance(key: PublicKey, baseUrl: string, logId: Uint8Array): LogInstance {
  const keyDetails =
    key.type.kind === 'ed25519'
      ? 'PKIX_ED25519'
      : key.type.kind === 'rsa'
        ? 'PKIX_RSA_PKCS1V15_2048_SHA256'
        : (
            {
              'P-256': 'PKIX_ECDSA_P256_SHA_256',
              'P-384': 'PKIX_ECDSA_P384_SHA_384',
              'P-521': 'PKIX_ECDSA_P521_SHA_512',
            } as const
          )[key.type.curve]
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.spki, keyDetails, validFor: { start: START } },
    logId,
  }
}
