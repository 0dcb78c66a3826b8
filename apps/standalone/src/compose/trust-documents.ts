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
  type TimeRange,
  type TrustedRoot,
} from '@touchmark/trust'
import type { Log } from '@touchmark/ledger'
import type { Material } from '../instance/material.js'
import type { ShardRow } from '../logs/shard-rows.js'

export interface TrustInput {
  readonly publicUrl: string
  readonly createdAt: Date
  readonly organization: string
  readonly material: Material
  /** In the order in which they became active; prepared ones last. Frozen ones are trusted for what they hold. */
  readonly shards: readonly TrustedShard[]
  readonly certificateLog: Pick<Log, 'publicKey'> & { readonly ctLogId: Uint8Array }
  /** The identity provider that clients log in at. */
  readonly issuerUrl: string | undefined
}

/** A shard of a signature log as clients are told of it. */
export interface TrustedShard {
  readonly row: Pick<ShardRow, 'kind' | 'publicUrl' | 'createdAt' | 'activeFrom' | 'frozenAt'>
  readonly log: Pick<Log, 'logId' | 'publicKey'>
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

/** The same for shards that come and go: made again when they have changed, and the same objects until then. */
export function followingTrust(
  shards: { readonly served: readonly TrustedShard[]; readonly generation: number },
  input: Omit<TrustInput, 'shards'>,
): () => ReturnType<typeof trustDocuments> {
  let generation: number | undefined
  let made: ReturnType<typeof trustDocuments> | undefined
  return () => {
    if (made === undefined || generation !== shards.generation) {
      generation = shards.generation
      made = trustDocuments({ ...input, shards: shards.served })
    }
    return made
  }
}

/** Whole seconds: some readers take no fraction. */
function startOf(createdAt: Date): Date {
  return new Date(Math.floor(createdAt.getTime() / 1000) * 1000 - 60_000)
}

/** Timestamps that go with an entry come after it, from servers whose clocks differ a little. */
const AFTER_FREEZE_MS = 10 * 60_000

function endOf(frozenAt: Date | undefined): { end?: Date } {
  return frozenAt === undefined
    ? {}
    : { end: new Date(Math.ceil((frozenAt.getTime() + AFTER_FREEZE_MS) / 1000) * 1000) }
}

function trustedRoot({
  publicUrl,
  createdAt,
  organization,
  material,
  shards,
  certificateLog,
}: TrustInput): TrustedRoot {
  const validFor = { start: startOf(createdAt) }
  const log = (baseUrl: string, key: PublicKey, logId: Uint8Array, validFor: TimeRange): LogInstance => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.spki, keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId,
  })
  return {
    mediaType: TRUSTED_ROOT_MEDIA_TYPE,
    tlogs: inOrder(shards).map(({ row, log: { publicKey, logId } }) =>
      log(row.publicUrl, publicKey, logId, { start: startOf(row.createdAt), ...endOf(row.frozenAt) }),
    ),
    certificateAuthorities: [
      {
        subject: { organization, commonName: 'Touchmark CA' },
        uri: publicUrl,
        certificates: [material.caIntermediate.der, material.caRoot.der],
        validFor,
      },
    ],
    ctlogs: [log(`${publicUrl}/ct`, certificateLog.publicKey, certificateLog.ctLogId, validFor)],
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

/** API v1 first, then prepared shards, then the others: what is written to now comes last. */
function inOrder(shards: readonly TrustedShard[]): TrustedShard[] {
  const rank = ({ row }: TrustedShard): number =>
    row.kind === 'signature-v1' ? 0 : row.activeFrom === undefined ? 1 : 2
  return [...shards].sort((a, b) => rank(a) - rank(b))
}

function signingConfig({ publicUrl, createdAt, organization, issuerUrl, shards }: TrustInput): SigningConfig {
  const service = (
    url: string,
    majorApiVersion: number,
    validFor: TimeRange = { start: startOf(createdAt) },
  ): Service => ({
    url,
    majorApiVersion,
    validFor,
    operator: organization,
  })
  const active = shards.filter(({ row }) => row.kind === 'signature-v2' && row.activeFrom !== undefined)
  // One is valid at any time, and the newest is listed last: the one order on which all clients agree (docs/contract/trust.md §1 and §3).
  const logs = active.map(({ row }, i) => {
    const next = active[i + 1]?.row.activeFrom
    const end = next === undefined ? {} : { end: startOf(next) }
    return service(row.publicUrl, 2, { start: startOf(row.activeFrom!), ...end })
  })
  return {
    mediaType: SIGNING_CONFIG_MEDIA_TYPE,
    caUrls: [service(publicUrl, 1)],
    oidcUrls: issuerUrl === undefined ? [] : [service(issuerUrl, 1)],
    rekorTlogUrls: logs,
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service(`${publicUrl}/api/v1/timestamp`, 1)],
    tsaConfig: { selector: 'ANY' },
  }
}
