import { HASH_ALGORITHMS, PUBLIC_KEY_DETAILS } from '@touchmark/crypto'
import type { ProtoField, ProtoSchema } from '@touchmark/encoding'

const string: ProtoField = { kind: 'string' }
const bytes: ProtoField = { kind: 'bytes' }
const message = (of: ProtoSchema): ProtoField => ({ kind: 'message', of })
const list = (of: ProtoSchema): ProtoField => ({ kind: 'repeated', of: { kind: 'message', of } })

const timeRange: ProtoSchema = { name: 'dev.sigstore.common.v1.TimeRange', fields: { start: string, end: string } }

const logInstance: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.TransparencyLogInstance',
  fields: {
    baseUrl: string,
    hashAlgorithm: { kind: 'enum', values: HASH_ALGORITHMS },
    publicKey: message({
      name: 'dev.sigstore.common.v1.PublicKey',
      fields: {
        rawBytes: bytes,
        keyDetails: { kind: 'enum', values: PUBLIC_KEY_DETAILS },
        validFor: message(timeRange),
      },
    }),
    logId: message({ name: 'dev.sigstore.common.v1.LogId', fields: { keyId: bytes } }),
    checkpointKeyId: message({ name: 'dev.sigstore.common.v1.LogId', fields: { keyId: bytes } }),
    operator: string,
  },
}

const authority: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.CertificateAuthority',
  fields: {
    subject: message({
      name: 'dev.sigstore.common.v1.DistinguishedName',
      fields: { organization: string, commonName: string },
    }),
    uri: string,
    certChain: message({
      name: 'dev.sigstore.common.v1.X509CertificateChain',
      fields: { certificates: list({ name: 'dev.sigstore.common.v1.X509Certificate', fields: { rawBytes: bytes } }) },
    }),
    validFor: message(timeRange),
    operator: string,
  },
}

export const trustedRootSchema: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.TrustedRoot',
  fields: {
    mediaType: string,
    tlogs: list(logInstance),
    certificateAuthorities: list(authority),
    ctlogs: list(logInstance),
    timestampAuthorities: list(authority),
  },
}

const service: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.Service',
  fields: { url: string, majorApiVersion: { kind: 'int32' }, validFor: message(timeRange), operator: string },
}

export const SELECTOR_NAMES = { SERVICE_SELECTOR_UNDEFINED: 0, ALL: 1, ANY: 2, EXACT: 3 } as const

const serviceConfig: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.ServiceConfiguration',
  fields: { selector: { kind: 'enum', values: SELECTOR_NAMES }, count: { kind: 'int32' } },
}

export const signingConfigSchema: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.SigningConfig',
  fields: {
    mediaType: string,
    caUrls: list(service),
    oidcUrls: list(service),
    rekorTlogUrls: list(service),
    rekorTlogConfig: message(serviceConfig),
    tsaUrls: list(service),
    tsaConfig: message(serviceConfig),
  },
}

export const clientTrustConfigSchema: ProtoSchema = {
  name: 'dev.sigstore.trustroot.v1.ClientTrustConfig',
  fields: { mediaType: string, trustedRoot: message(trustedRootSchema), signingConfig: message(signingConfigSchema) },
}
