import type { CryptoPort } from '@touchmark/crypto'
import { EncodingError, type JsonValue } from '@touchmark/encoding'
import { MAX_ENTRY_BYTES } from '../body.js'
import { EntryError } from '../errors.js'
import { dsseEntry } from './dsse.js'
import { invalid } from './errors.js'
import { hashedRekordEntry } from './hashedrekord.js'
import { intoto001Entry } from './intoto-001.js'
import { intoto002Entry } from './intoto-002.js'
import { goType, isObject, type JsonObject } from './json.js'
import { rekordEntry } from './rekord.js'
import type { ProposedEntry, V1Kind } from './request.js'
import { rfc3161Entry } from './rfc3161.js'

/** An entry of API v1 that may be appended or looked for. */
export interface V1Entry {
  readonly kind: V1Kind
  readonly version: string
  /** The canonical body: the bytes of the leaf. */
  readonly body: Uint8Array
  /** The payload of an in-toto entry, when it is small enough to be kept beside it. */
  readonly attestation?: Uint8Array
}

/**
 * To log an entry, or to look for one: a query may be in canonical form where that says all, and the policy on pairs of key and hash is not for it
 * (log-v1.md §6, §8).
 */
export type V1Purpose = 'submit' | 'query'

/** What an entry kind's own function is handed, and gives. */
export interface KindContext {
  readonly spec: JsonObject
  readonly purpose: V1Purpose
  readonly crypto: CryptoPort
}
export type KindEntry = Omit<V1Entry, 'kind' | 'version'>

const KINDS: Readonly<Partial<Record<V1Kind, Readonly<Record<string, (context: KindContext) => KindEntry>>>>> = {
  hashedrekord: { '0.0.1': hashedRekordEntry },
  dsse: { '0.0.1': dsseEntry },
  intoto: { '0.0.1': intoto001Entry, '0.0.2': intoto002Entry },
  rekord: { '0.0.1': rekordEntry },
  rfc3161: { '0.0.1': rfc3161Entry },
}

/**
 * Validates a proposed entry and writes its canonical body (log-v1.md §6). Pure and synchronous; costs one signature check, for dsse and intoto at
 * most 100. Throws ENTRY_V1_INVALID (its text is the reference's and may be sent) and ENTRY_TOO_LARGE.
 */
export function canonicaliseV1(proposed: ProposedEntry, purpose: V1Purpose, crypto: CryptoPort): V1Entry {
  const { kind, version } = proposed
  const versions = KINDS[kind]
  if (versions === undefined) invalid(`entry kind '${kind}' is not enabled for submission on this server`)
  const make = Object.hasOwn(versions, version) ? versions[version] : undefined
  if (make === undefined)
    invalid(`${kind} implementation for version '${version}' not found: unable to locate entry for version ${version}`)
  const entry = make({ spec: specOf(proposed.spec), purpose, crypto })
  if (entry.body.length > MAX_ENTRY_BYTES) {
    const text = `the entry would have ${entry.body.length} bytes; at most ${MAX_ENTRY_BYTES} can be logged`
    throw new EntryError('ENTRY_TOO_LARGE', text)
  }
  return { kind, version, ...entry }
}

function specOf(spec: JsonValue): JsonObject {
  return isObject(spec) ? spec : invalid(`unsupported input type ${goType(spec)} for DecodeEntry`)
}

/** Runs what writes text of a client into a body: a lone surrogate has no bytes. Throws ENTRY_V1_INVALID. */
export function writing(write: () => string): string {
  try {
    return write()
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    return invalid(`error generating canonicalized entry: ${cause.message}`, cause)
  }
}
