import type { Bundle, InclusionProof, TransparencyLogEntry } from '@touchmark/bundle'
import { withEntry } from './signing.js'

/** Puts a part of the one bundle into the other. */
export type Part = (into: Bundle, from: Bundle) => Bundle
const entry =
  (change: (own: TransparencyLogEntry, other: TransparencyLogEntry) => Partial<TransparencyLogEntry>): Part =>
  (into, from) =>
    withEntry(into, (own) => ({ ...own, ...change(own, from.tlogEntries[0]!) }))
const proof = (change: (other: InclusionProof) => Partial<InclusionProof>): Part =>
  entry((own, other) =>
    own.inclusionProof && other.inclusionProof
      ? { inclusionProof: { ...own.inclusionProof, ...change(other.inclusionProof) } }
      : {},
  )
const message =
  (name: 'messageDigest' | 'signature'): Part =>
  (into, from) =>
    into.content.kind === 'message' && from.content.kind === 'message'
      ? {
          ...into,
          content: { kind: 'message', message: { ...into.content.message, [name]: from.content.message[name] } },
        }
      : into
const envelope =
  (name: 'payload' | 'signature'): Part =>
  (into, from) =>
    into.content.kind === 'dsse' && from.content.kind === 'dsse'
      ? {
          ...into,
          content: { kind: 'dsse', envelope: { ...into.content.envelope, [name]: from.content.envelope[name] } },
        }
      : into

/** Every part that a bundle has, by name. A form that lacks one comes back as it was. */
export const PARTS: Readonly<Record<string, Part>> = {
  signer: (into, from) => ({ ...into, signer: from.signer }),
  content: (into, from) => ({ ...into, content: from.content }),
  'message digest': message('messageDigest'),
  'message signature': message('signature'),
  payload: envelope('payload'),
  'envelope signature': envelope('signature'),
  'log entry': (into, from) => ({ ...into, tlogEntries: from.tlogEntries }),
  'entry body': entry((_own, other) => ({ canonicalizedBody: other.canonicalizedBody })),
  'log id': entry((_own, other) => ({ logId: other.logId })),
  'log index': entry((_own, other) => ({ logIndex: other.logIndex })),
  'integrated time': entry((own, other) =>
    own.integratedTime === undefined ? {} : { integratedTime: other.integratedTime! },
  ),
  promise: entry((own, other) => (own.inclusionPromise ? { inclusionPromise: other.inclusionPromise! } : {})),
  proof: proof((other) => other),
  'proof index': proof(({ logIndex }) => ({ logIndex })),
  'proof hashes': proof(({ hashes }) => ({ hashes })),
  'root hash': proof(({ rootHash }) => ({ rootHash })),
  'tree size': proof(({ treeSize }) => ({ treeSize })),
  checkpoint: proof(({ checkpoint }) => ({ checkpoint: checkpoint! })),
  'checkpoint, root and size': proof(({ checkpoint, rootHash, treeSize }) => ({
    checkpoint: checkpoint!,
    rootHash,
    treeSize,
  })),
  timestamps: (into, from) => ({ ...into, timestamps: from.timestamps }),
}

/** True for bundles of equal content. */
export function isSame(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_name, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
  return text(a) === text(b)
}
