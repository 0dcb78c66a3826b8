import { base64Decode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { checkRsaModulus } from '@touchmark/crypto'
import { importJWK, type CryptoKey, type JWK } from 'jose'
import { CaError } from '../errors.js'

/** What may sign a token (ca.md §5.4). No HMAC: its key would be as public as the others. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
] as const

const MAX_KEYS = 100
const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519' }

/** A public key of an issuer, as its key set has it. */
interface IssuerKey {
  readonly keyId: string | undefined
  readonly jwk: JWK
  /** By algorithm; a key that cannot be imported is kept as undefined and never tried again. */
  readonly imported: Map<string, Promise<CryptoKey | undefined>>
}

/** The algorithms an issuer's document leaves: those it lists that we know, else RS256 alone. */
export function algorithmsOf(listed: readonly string[]): readonly string[] {
  const known = TOKEN_ALGORITHMS.filter((algorithm) => listed.includes(algorithm))
  return known.length === 0 ? ['RS256'] : known
}

/** A key set (RFC 7517 §5). Keys that cannot check a signature are passed over, so that one odd key does not lock everybody out. */
export class KeySet {
  readonly #keys: readonly IssuerKey[]

  /** Throws CA_ISSUER_UNAVAILABLE for what is no key set, or one of more than 100 keys. */
  constructor(document: JsonValue) {
    const keys = (document as { keys?: unknown } | null)?.keys
    if (!Array.isArray(keys)) throw new CaError('CA_ISSUER_UNAVAILABLE', 'the key set has no list of keys')
    if (keys.length > MAX_KEYS) throw new CaError('CA_ISSUER_UNAVAILABLE', `the key set has more than ${MAX_KEYS} keys`)
    this.#keys = keys.filter(isVerificationKey).map((jwk) => ({ keyId: jwk.kid, jwk, imported: new Map() }))
  }

  /** The keys a token may have been signed with: those of its `kid`, or all when it names none; of the algorithm's kind. */
  async candidates(algorithm: string, keyId: string | undefined): Promise<CryptoKey[]> {
    const named = this.#keys.filter((key) => keyId === undefined || key.keyId === keyId)
    const keys = await Promise.all(named.map((key) => importFor(key, algorithm)))
    return keys.filter((key) => key !== undefined)
  }
}

function isVerificationKey(value: unknown): value is JWK {
  if (value === null || typeof value !== 'object') return false
  const { kty, kid, use, key_ops: operations } = value as Record<string, unknown>
  if (typeof kty !== 'string' || (kid !== undefined && typeof kid !== 'string')) return false
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function importFor(key: IssuerKey, algorithm: string): Promise<CryptoKey | undefined> {
  let imported = key.imported.get(algorithm)
  if (imported === undefined) {
    imported = fits(key.jwk, algorithm) ? importKey(key.jwk, algorithm) : Promise.resolve(undefined)
    key.imported.set(algorithm, imported)
  }
  return imported
}

/** A key is for one algorithm: what it says itself, and what its type and curve allow. */
function fits(jwk: JWK, algorithm: string): boolean {
  if (jwk.alg !== undefined && jwk.alg !== algorithm && !(algorithm === 'EdDSA' && jwk.alg === 'Ed25519')) return false
  if (algorithm.startsWith('RS') || algorithm.startsWith('PS')) return jwk.kty === 'RSA' && isStrongRsa(jwk)
  return jwk.kty === (algorithm === 'EdDSA' ? 'OKP' : 'EC') && jwk.crv === CURVES[algorithm]
}

/** At least 2048 bits, a usable exponent, and a modulus that nobody can factor for free. */
function isStrongRsa(jwk: JWK): boolean {
  try {
    const modulus = base64Decode(jwk.n ?? '', { alphabet: 'url', padding: 'none' })
    const exponent = base64Decode(jwk.e ?? '', { alphabet: 'url', padding: 'none' })
    const bits = bitLength(modulus)
    const e = exponent.length > 8 ? 0n : exponent.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    if (bits < 2048 || bits > 16_384 || e < 3n || e % 2n === 0n) return false
    checkRsaModulus(modulus)
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first]!) + 24
}

async function importKey(jwk: JWK, algorithm: string): Promise<CryptoKey | undefined> {
  try {
    // Public members only: a set that shows a private key by mistake is still usable, and we never hold that key.
    const { kty, crv, x, y, n, e } = jwk
    const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, member]) => member !== undefined)
    const key = await importJWK({ ...(Object.fromEntries(members) as unknown as JWK), alg: algorithm }, algorithm)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    // jose and WebCrypto throw many kinds of error; all of them mean that this key checks nothing.
    return undefined
  }
}
