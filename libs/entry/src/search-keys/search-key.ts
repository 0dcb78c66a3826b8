import { hexEncode, utf8Encode } from '@touchmark/encoding'

/** What entries can be found by. */
export const SEARCH_KINDS = ['digest', 'identity', 'issuer', 'publicKey', 'serial'] as const

export type SearchKind = (typeof SEARCH_KINDS)[number]

/**
 * A value that an entry can be found by, in its one spelling (see {@link searchKey}):
 * `digest` is `<algorithm>:<hex>`; `identity` a name of a certificate (e-mail address, URI, DNS name, IP address, user name) or of a PGP key;
 * `issuer` the OIDC issuer; `publicKey` the hexadecimal SHA-256 of a SubjectPublicKeyInfo (DER) or, API v1, of a key or certificate as its canonical text;
 * `serial` the certificate's serial number, whole bytes in hexadecimal without leading zero bytes.
 */
export interface SearchKey {
  readonly kind: SearchKind
  readonly value: string
}

/** SHA-256; it is handed in because this package has no cryptography of its own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** Longest value that is a key as it is, in UTF-16 units. */
export const MAX_SEARCH_VALUE = 512
/** Most keys of one entry: an honest one has about ten. */
export const MAX_SEARCH_KEYS = 128

/**
 * The key of a kind for a text, of an entry or of a question: lower case; a value of more than {@link MAX_SEARCH_VALUE} units is replaced by
 * `sha256~` and its hash, so that both sides stay short. Serial numbers lose colons, white space and leading zero bytes.
 */
export function searchKey(kind: SearchKind, text: string, sha256: Sha256): SearchKey {
  const lower = kind === 'serial' ? serialOf(text.toLowerCase()) : text.toLowerCase()
  return { kind, value: lower.length <= MAX_SEARCH_VALUE ? lower : `sha256~${hexEncode(sha256(utf8Encode(lower)))}` }
}

function serialOf(text: string): string {
  const digits = text.replace(/[:\s]/g, '').replace(/^0+(?=.)/, '')
  return digits.length % 2 === 0 ? digits : `0${digits}`
}

/** Gathers the keys of one entry, each once, and notes what could not be read. */
export class KeyCollector {
  readonly sha256: Sha256
  readonly #keys = new Map<string, SearchKey>()
  #complete = true

  constructor(sha256: Sha256) {
    this.sha256 = sha256
  }

  add(kind: SearchKind, text: string): void {
    if (text === '') return
    const key = searchKey(kind, text, this.sha256)
    if (this.#keys.size < MAX_SEARCH_KEYS) this.#keys.set(`${kind} ${key.value}`, key)
    else if (!this.#keys.has(`${kind} ${key.value}`)) this.#complete = false
  }

  /** Adds the SHA-256 of these bytes. */
  addHash(kind: SearchKind, bytes: Uint8Array, prefix = ''): void {
    this.add(kind, prefix + hexEncode(this.sha256(bytes)))
  }

  /** Something of the entry could not be read: it may have keys that are missing. */
  unread(): void {
    this.#complete = false
  }

  get complete(): boolean {
    return this.#complete
  }

  keys(): SearchKey[] {
    return [...this.#keys.values()]
  }
}
