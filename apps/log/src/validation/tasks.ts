import { nodeCrypto } from '@touchmark/crypto/node'
import {
  canonicalise,
  canonicaliseV1,
  parseEntryRequest,
  parseV1Request,
  parseV1RetrieveQuery,
  type CanonicalEntry,
  type V1Entry,
} from '@touchmark/entry'

/** What a retrieve of API v1 asks for; of its entries, how many. */
export interface Retrieval {
  readonly entryIds: readonly string[]
  readonly indexes: readonly bigint[]
  readonly entries: number
}

/**
 * What can be asked of the validation thread: the body of a request in, what the log needs of it out. All that is costly about a request is in these: parsing,
 * keys, certificates and signatures. They throw EntryError, and results are values that can be handed to another thread.
 */
export const TASKS = {
  /** `POST /api/v2/log/entries`: shape, then validation. */
  entry(body: Uint8Array): CanonicalEntry {
    const entry = canonicalise(parseEntryRequest(body), nodeCrypto)
    return { ...entry, body: own(entry.body) }
  },

  /** The same where nothing will be appended: shape alone. */
  entryShape(body: Uint8Array): undefined {
    parseEntryRequest(body)
  },

  /** `POST /api/v1/log/entries`. */
  v1Entry(body: Uint8Array): V1Entry {
    const entry = canonicaliseV1(parseV1Request(body), 'submit', nodeCrypto)
    const { attestation } = entry
    return { ...entry, body: own(entry.body), ...(attestation === undefined ? {} : { attestation: own(attestation) }) }
  },

  /** `POST /api/v1/log/entries/retrieve`: shape. */
  v1Retrieval(body: Uint8Array): Retrieval {
    const { entryIds, indexes, entries } = parseV1RetrieveQuery(body)
    return { entryIds, indexes, entries: entries.length }
  },

  /** The same: its entries, as the leaves that they would be. */
  v1RetrievalBodies(body: Uint8Array): Uint8Array[] {
    return parseV1RetrieveQuery(body).entries.map((entry) => own(canonicaliseV1(entry, 'query', nodeCrypto).body))
  },
} as const

export type TaskName = keyof typeof TASKS
export type TaskResult<Name extends TaskName> = ReturnType<(typeof TASKS)[Name]>

/** Alone in its buffer: what crosses to another thread is the whole buffer behind a view, and small ones lie in one pool. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
