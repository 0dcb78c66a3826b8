import {
  defaultKeyDetails,
  keyDetailsByName,
  parsePublicKeyDer,
  type KeyDetails,
  type PublicKey,
} from '@touchmark/crypto'
import { derBitString, derOid, derSequence, DER_NULL, equalBytes, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { TimestampAuthority } from '@touchmark/timestamp'
import type { Authority, LogInstance, TimeRange, TrustedRoot } from '@touchmark/trust'
import { parseCertificate, type Certificate } from '@touchmark/x509'

/** A log of the trusted root whose key could be read. */
export interface TrustedLog {
  readonly name: string
  readonly logIdHex: string
  readonly instance: LogInstance
  readonly key: PublicKey
}

export interface TrustedCa {
  readonly name: string
  /** The last certificate of the chain; what comes before it only helps to reach it. */
  readonly anchor: Certificate
  readonly intermediates: readonly Certificate[]
  readonly validFor: TimeRange | undefined
}

export interface TrustedTsa {
  readonly name: string
  readonly authority: TimestampAuthority
}

/** What a log id leads to. */
export type LogLookup =
  | { readonly found: 'usable'; readonly logs: readonly TrustedLog[] }
  /** The id is there, and no key of it can be used. */
  | { readonly found: 'unusable'; readonly why: string }
  | { readonly found: 'unknown' }

/** A trusted root with its keys and certificates read, each once and at first use: an item that nobody needs may be broken. */
export class TrustMaterial {
  readonly #root: TrustedRoot
  readonly #tlogs = new Map<string, LogLookup>()
  readonly #ctlogs = new Map<string, LogLookup>()
  #cas: readonly TrustedCa[] | undefined
  #tsas: readonly TrustedTsa[] | undefined

  constructor(root: TrustedRoot) {
    this.#root = root
  }

  tlog(logId: Uint8Array): LogLookup {
    return lookUp(this.#tlogs, this.#root.tlogs, logId)
  }

  ctlog(logId: Uint8Array): LogLookup {
    return lookUp(this.#ctlogs, this.#root.ctlogs, logId)
  }

  get certificateAuthorities(): readonly TrustedCa[] {
    return (this.#cas ??= this.#root.certificateAuthorities.flatMap((authority) => {
      const chain = readChain(authority)
      const anchor = chain.at(-1)
      if (anchor === undefined) return []
      const name = authority.uri || authority.subject.commonName
      return [{ name, anchor, intermediates: chain.slice(0, -1), validFor: authority.validFor }]
    }))
  }

  get timestampAuthorities(): readonly TrustedTsa[] {
    return (this.#tsas ??= this.#root.timestampAuthorities.flatMap((authority) => {
      const chain = readChain(authority)
      const root = chain.at(-1)
      if (root === undefined) return []
      const leaf = chain[0]!
      const { validFor } = authority
      const intermediates = chain.slice(1, -1)
      return [
        {
          name: authority.uri || authority.subject.commonName,
          authority: { leaf, intermediates, root, ...(validFor ? { validFor } : {}) },
        },
      ]
    }))
  }

  /** What a person knows the instance by. */
  get description(): string {
    const names = this.#root.certificateAuthorities.map((authority) => authority.uri || authority.subject.commonName)
    return [...new Set(names)].join(', ') || 'a trusted root without certificate authorities'
  }
}

const prepared = new WeakMap<TrustedRoot, TrustMaterial>()

/** The material of a root. Kept for as long as somebody holds the root, which MUST NOT be changed. */
export function trustMaterialOf(root: TrustedRoot): TrustMaterial {
  let material = prepared.get(root)
  if (material === undefined) prepared.set(root, (material = new TrustMaterial(root)))
  return material
}

function lookUp(known: Map<string, LogLookup>, instances: readonly LogInstance[], logId: Uint8Array): LogLookup {
  const logIdHex = hexEncode(logId)
  const before = known.get(logIdHex)
  if (before !== undefined) return before
  const own = instances.filter((instance) => equalBytes(instance.logId, logId))
  // Ids come from the bundle: unknown ones are not kept, so that no caller can fill the table.
  if (own.length === 0) return { found: 'unknown' }
  const logs: TrustedLog[] = []
  let why = ''
  for (const instance of own) {
    const key = readLogKey(instance)
    if (typeof key === 'string') why = key
    else logs.push({ name: instance.baseUrl || logIdHex, logIdHex, instance, key })
  }
  const result: LogLookup = logs.length > 0 ? { found: 'usable', logs } : { found: 'unusable', why }
  known.set(logIdHex, result)
  return result
}

/** The key of a log, or why it cannot be used. */
function readLogKey({ hashAlgorithm, publicKey }: LogInstance): PublicKey | string {
  if (hashAlgorithm !== 'SHA2_256') return `a tree over ${hashAlgorithm}`
  const details = keyDetailsByName(publicKey.keyDetails)
  if (details === undefined) return `keys of kind ${publicKey.keyDetails} are not supported`
  try {
    const key = parseKey(details, publicKey.rawBytes)
    if (!details.fits(key.type)) return `the key is not of kind ${publicKey.keyDetails}`
    // Throws for RSA keys of odd sizes, which nobody has and which could be weak.
    defaultKeyDetails(key)
    return key
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.message
  }
}

const RSA_ALGORITHM = derSequence(derOid('1.2.840.113549.1.1.1'), DER_NULL)

/** `PKCS1_RSA_PKCS1V5` promises PKCS#1 bytes; files in the field have PKIX ones under it too. */
function parseKey(details: KeyDetails, raw: Uint8Array): PublicKey {
  if (details.name !== 'PKCS1_RSA_PKCS1V5') return parsePublicKeyDer(raw)
  try {
    return parsePublicKeyDer(derSequence(RSA_ALGORITHM, derBitString(raw)))
  } catch (error) {
    if (!isCodedError(error)) throw error
    return parsePublicKeyDer(raw)
  }
}

/** Empty when one of the certificates cannot be read. */
function readChain(authority: Authority): readonly Certificate[] {
  try {
    return authority.certificates.map((der) => parseCertificate(der))
  } catch (error) {
    if (!isCodedError(error)) throw error
    return []
  }
}
