import type { TrustDocuments } from '@touchmark/app-trust'
import type { PublicKey } from '@touchmark/crypto'
import {
  encodeClientTrustConfig,
  encodeSigningConfig,
  encodeTrustedRoot,
  SIGNING_CONFIG_MEDIA_TYPE,
  TRUSTED_ROOT_MEDIA_TYPE,
  type LogInstance,
  type Service,
  type SigningConfig,
  type TrustedRoot,
} from '@touchmark/trust'
import type { Log } from '@touchmark/ledger'
import type { Material } from '../instance/material.js'

export interface TrustInput {
  readonly publicUrl: string
  readonly createdAt: Date
  readonly organization: string
  readonly material: Material
  readonly signatureLog: Pick<Log, 'logId' | 'publicKey'>
  readonly certificateLog: Pick<Log, 'publicKey'> & { readonly ctLogId: Uint8Array }
  /** The identity provider that clients log in at. */
  readonly issuerUrl: string | undefined
}

/** Trusted root and signing config of this instance, by the choices that every client accepts (docs/contract/trust.md §1). */
export function trustDocuments(input: TrustInput): { root: TrustedRoot; documents: TrustDocuments } {
  const root = trustedRoot(input)
  const config = signingConfig(input)
  const documents = {
    trustedRoot: encodeTrustedRoot(root),
    signingConfig: encodeSigningConfig(config),
    clientTrustConfig: encodeClientTrustConfig({ trustedRoot: root, signingConfig: config }),
  }
  return { root, documents }
}

/** Whole seconds: some readers take no fraction. */
function startOf(createdAt: Date): Date {
  return new Date(Math.floor(createdAt.getTime() / 1000) * 1000 - 60_000)
}

function trustedRoot({
  publicUrl,
  createdAt,
  organization,
  material,
  signatureLog,
  certificateLog,
}: TrustInput): TrustedRoot {
  const validFor = { start: startOf(createdAt) }
  const log = (baseUrl: string, key: PublicKey, logId: Uint8Array): LogInstance => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.spki, keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId,
  })
  return {
    mediaType: TRUSTED_ROOT_MEDIA_TYPE,
    tlogs: [log(publicUrl, signatureLog.publicKey, signatureLog.logId)],
    certificateAuthorities: [
      {
        subject: { organization, commonName: 'Touchmark CA' },
        uri: publicUrl,
        certificates: [material.caIntermediate.der, material.caRoot.der],
        validFor,
      },
    ],
    ctlogs: [log(`${publicUrl}/ct`, certificateLog.publicKey, certificateLog.ctLogId)],
    timestampAuthorities: [
      {
        subject: { organization, commonName: 'Touchmark TSA' },
        uri: `${publicUrl}/api/v1/timestamp`,
        certificates: [material.tsaLeaf.der, material.tsaRoot.der],
        validFor,
      },
    ],
  }
}

function signingConfig({ publicUrl, createdAt, organization, issuerUrl }: TrustInput): SigningConfig {
  const service = (url: string, majorApiVersion: number): Service => ({
    url,
    majorApiVersion,
    validFor: { start: startOf(createdAt) },
    operator: organization,
  })
  return {
    mediaType: SIGNING_CONFIG_MEDIA_TYPE,
    caUrls: [service(publicUrl, 1)],
    oidcUrls: issuerUrl === undefined ? [] : [service(issuerUrl, 1)],
    rekorTlogUrls: [service(publicUrl, 2)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service(`${publicUrl}/api/v1/timestamp`, 1)],
    tsaConfig: { selector: 'ANY' },
  }
}
