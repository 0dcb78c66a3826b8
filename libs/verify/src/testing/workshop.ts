import type { Bundle, InclusionProof, TransparencyLogEntry } from '@touchmark/bundle'
import type { Signer } from '@touchmark/crypto'
import { generateSigner } from '@touchmark/crypto/node'
import { derExplicit, derSequence, utf8Decode, utf8Encode } from '@touchmark/encoding'
import type { Authority, LogInstance, TrustedRoot } from '@touchmark/trust'
import { parseTbsCertificate } from '@touchmark/x509'
import type { Policy } from '../policy.js'
import { NOW, TestInstance } from './instance.js'
import { form, sign, withEntry, type Signed, type SignOptions } from './signing.js'
import { IDENTITIES, verifySigned } from './verifying.js'

export const P256 = { kind: 'ecdsa', curve: 'P-256' } as const
/** The instance that is trusted, another with the same names and other keys, and the trusted root of the first. */
export let instance: TestInstance
export let other: TestInstance
export let root: TrustedRoot

/** To be awaited before anything here is used. */
export async function prepareWorkshop(): Promise<void> {
  instance = await TestInstance.create()
  other = await TestInstance.create()
  root = instance.trustedRoot
}

export const make = (name: string, options: SignOptions = {}): Promise<Signed> =>
  sign(instance, { form: form(name), ...options })
export const V2 = '0.3 message, v2'
export const V1 = '0.3 message, v1'
export const ATT = '0.3 attestation, v2'
export const KEY = '0.3 message by key, v2'

/** Changes one log of the root. */
export const logs = (list: 'tlogs' | 'ctlogs', change: (log: LogInstance) => LogInstance): TrustedRoot => ({
  ...root,
  [list]: root[list].map(change),
})
export const withWindow = (start: Date, end?: Date) => (log: LogInstance) => ({
  ...log,
  publicKey: { ...log.publicKey, validFor: { start, ...(end ? { end } : {}) } },
})
export const changeProof = (signed: Signed, change: (proof: InclusionProof) => InclusionProof): Bundle =>
  withEntry(signed.bundle, (entry) => ({ ...entry, inclusionProof: change(entry.inclusionProof!) }))
export const changeEntry = (
  signed: Signed,
  change: (entry: TransparencyLogEntry) => Partial<TransparencyLogEntry>,
): Bundle => withEntry(signed.bundle, (entry) => ({ ...entry, ...change(entry) }))
export const flip = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
export const refused = (what: () => unknown): unknown => {
  try {
    what()
  } catch (error) {
    return error
  }
  return undefined
}
export const body = (text: string) => () => ({ canonicalizedBody: utf8Encode(text) })
/** The same JSON text with a part replaced, in the leaf that a log would have taken in its place. */
export const relogged = async (signed: Signed, change: (text: string) => string): Promise<Bundle> => {
  const [entry] = signed.bundle.tlogEntries
  const { kind, version } = entry!.kindVersion
  const isV2 = version === '0.0.2' && kind !== 'intoto'
  const leaf = utf8Encode(change(utf8Decode(entry!.canonicalizedBody)))
  const again = await (isV2 ? instance.v2 : instance.v1).append(leaf, kind, version, isV2 ? {} : { promisedAt: NOW })
  return { ...signed.bundle, tlogEntries: [again] }
}

export function signatureOf({ bundle: { content } }: Signed): Uint8Array {
  return content.kind === 'message' ? content.message.signature : content.envelope.signature.sig
}
export function findBytes(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++)
    if (part.every((byte, i) => bytes[at + i] === byte)) return at
  return -1
}
export function flipTo(bytes: Uint8Array, at: number, value: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? value : byte))
}
export function withChain(...certificates: readonly [Uint8Array, ...Uint8Array[]]): TrustedRoot {
  const [ca] = root.certificateAuthorities
  return { ...root, certificateAuthorities: [{ ...ca!, certificates }] }
}
export function windowOf(list: readonly Authority[], start: Date, end?: Date): Authority[] {
  return list.map((authority) => ({ ...authority, validFor: { start, ...(end ? { end } : {}) } }))
}
export function caWindow(start: Date, end?: Date): TrustedRoot {
  return { ...root, certificateAuthorities: windowOf(root.certificateAuthorities, start, end) }
}
export function tsaWindow(start: Date, end?: Date): TrustedRoot {
  return { ...root, timestampAuthorities: windowOf(root.timestampAuthorities, start, end) }
}
export function withThreshold(signed: Signed, thresholds: Policy['thresholds']): unknown {
  return verifySigned(signed, root, { policy: { identities: IDENTITIES, ...(thresholds ? { thresholds } : {}) } })
}
export async function proof(name: string, change: (proof: InclusionProof) => InclusionProof): Promise<unknown> {
  const signed = await make(name)
  return verifySigned(signed, root, { bundle: changeProof(signed, change) })
}
export async function promise(
  change: (entry: TransparencyLogEntry) => Partial<TransparencyLogEntry>,
): Promise<unknown> {
  const signed = await make(V1)
  return verifySigned(signed, root, { bundle: changeEntry(signed, change) })
}
export async function entryChanged(
  change: (entry: TransparencyLogEntry) => Partial<TransparencyLogEntry>,
): Promise<unknown> {
  const signed = await make(V2)
  return verifySigned(signed, root, { bundle: changeEntry(signed, change) })
}
export async function reverified(name: string, change: (text: string) => string): Promise<unknown> {
  const signed = await make(name)
  return verifySigned(signed, root, { bundle: await relogged(signed, change) })
}
export async function kindOf(name: string): Promise<unknown> {
  const signed = await make(V1)
  const [kind, version] = name.split(' ') as [string, string]
  const entry = await instance.v1.append(
    utf8Encode(JSON.stringify({ apiVersion: version, kind, spec: {} })),
    kind,
    version,
    { promisedAt: NOW },
  )
  return verifySigned(signed, root, { bundle: { ...signed.bundle, tlogEntries: [entry] } })
}
export async function signedBy(name: string): Promise<unknown> {
  const signed = await make(name)
  const { v1, v2 } = instance
  const log = name === V1 ? v1 : v2
  const forged = await log.prove(Number(signed.bundle.tlogEntries[0]!.inclusionProof!.logIndex), generateSigner(P256))
  return verifySigned(signed, root, { bundle: changeProof(signed, () => forged) })
}
export function signedWith(certificate: Uint8Array, signer: Signer): Promise<Signed> {
  return sign(instance, { signer, certificate })
}
export async function expiredChain(dates: Parameters<typeof TestInstance.create>[0]): Promise<unknown> {
  const own = await TestInstance.create(dates)
  return verifySigned(await sign(own), own.trustedRoot)
}
export async function changeEnvelope(signed: Signed, part: 'payload' | 'payloadType' | 'signature'): Promise<unknown> {
  const { content } = signed.bundle
  if (content.kind !== 'dsse') throw new Error('not an attestation')
  const { payload, payloadType, signature } = content.envelope
  const envelope = {
    payload: part === 'payload' ? flip(payload) : payload,
    payloadType: part === 'payloadType' ? `${payloadType}x` : payloadType,
    signature: part === 'signature' ? { ...signature, sig: flip(signature.sig, 9) } : signature,
  }
  return verifySigned(signed, root, { bundle: { ...signed.bundle, content: { kind: 'dsse', envelope } } })
}

/** The value without one of its members. */
export function without<T extends object, K extends keyof T>(value: T, name: K): Omit<T, K> {
  const copy = { ...value }
  delete (copy as Partial<T>)[name]
  return copy
}

/** A TBSCertificate with its extensions changed. */
export function rebuilt(
  tbs: Uint8Array,
  change: (extensions: readonly Uint8Array[], oids: readonly string[]) => readonly Uint8Array[],
): Uint8Array {
  const { tbsHead, extensions } = parseTbsCertificate(tbs)
  const all = [...extensions.values()]
  const kept = change(
    all.map(({ bytes }) => bytes),
    all.map(({ oid }) => oid),
  )
  return derSequence(tbsHead, derExplicit(3, derSequence(...kept)))
}

/** A TBSCertificate without one of its extensions. */
export function withoutExtension(tbs: Uint8Array, oid: string): Uint8Array {
  return rebuilt(tbs, (extensions, oids) => extensions.filter((_bytes, i) => oids[i] !== oid))
}
