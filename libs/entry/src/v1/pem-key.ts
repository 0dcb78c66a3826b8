import { parsePublicKeyDer, type CryptoPort, type PublicKey } from '@touchmark/crypto'
import { base64Encode, EncodingError, pemDecodeAll, pemEncode, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { parseCertificate, type Certificate } from '@touchmark/x509'
import type { Decoded } from './base64.js'
import { checkOwnChain } from './own-chain.js'
import { invalid } from './errors.js'

/** The public key of an entry: a key, or a certificate and those that were sent behind it. */
export interface PemKey {
  readonly key: PublicKey
  /** Leaf first; empty for a bare key. Nothing about them is trusted, and no date was looked at. */
  readonly certificates: readonly Certificate[]
  /** base64 of the canonical PEM: 64 columns, no headers, a newline at the end. */
  readonly canonical: string
}

const MAX_CERTIFICATES = 10
/** An entry has less room than this for a key. */
const MAX_PEM_BYTES = 128 * 1024
const BEGIN = /(?:^|\n)-----BEGIN /
const CANONICAL =
  /^-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{1,64}\n)-----END \1-----\n$/

/**
 * Reads the PEM of log-v1.md §6: one `PUBLIC KEY`, one `CERTIFICATE`, or up to ten, leaf first. Text before the block, headers, CRLF and odd
 * columns are fine; text behind it, two keys and other blocks are not. Throws ENTRY_V1_INVALID.
 */
export function parsePemKey(sent: Decoded): PemKey {
  if (sent.bytes.length > MAX_PEM_BYTES) invalid('invalid public key: failure decoding PEM')
  const text = pemText(sent.bytes)
  const blocks = pemBlocks(text)
  const first = blocks[0]!
  if (first.label === 'PUBLIC KEY') {
    if (blocks.length > 1) invalid('invalid public key: more than one PEM block')
    const key = parsed(() => parsePublicKeyDer(first.bytes))
    return { key, certificates: [], canonical: canonicalOf(sent, text, blocks) }
  }
  if (blocks.length > MAX_CERTIFICATES) invalid('too many certificates specified in PEM block')
  const certificates = blocks.map(({ label, bytes }) => {
    if (label !== 'CERTIFICATE') invalid(`invalid public key: cannot handle type ${label}`)
    return parsed(() => parseCertificate(bytes))
  })
  const key = parsed(() => certificates[0]!.publicKey)
  return { key, certificates, canonical: canonicalOf(sent, text, blocks) }
}

/** The same, and a chain must lead to its own last certificate at the time its leaf begins (hashedrekord, rekord). Throws ENTRY_V1_INVALID. */
export function assertOwnChain({ certificates }: PemKey, crypto: CryptoPort): string | undefined {
  return certificates.length > 1 ? checkOwnChain(certificates, crypto) : undefined
}

function pemText(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes)
  } catch (cause) {
    return invalid('invalid public key: failure decoding PEM', cause)
  }
}

function pemBlocks(text: string): { label: string; bytes: Uint8Array }[] {
  const trimmed = text.trim()
  const begin = BEGIN.exec(trimmed)
  if (begin === null) return invalid('invalid public key: failure decoding PEM')
  const armour = trimmed.slice(begin.index).trimStart()
  let blocks
  try {
    blocks = pemDecodeAll(armour, MAX_CERTIFICATES + 1)
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    // One more than is looked at; the count is said before what is wrong with one of them.
    if (cause.message.startsWith('more than')) return invalid('too many certificates specified in PEM block', cause)
    return invalid('invalid public key: failure decoding PEM', cause)
  }
  const [first] = blocks
  if (first === undefined) return invalid('invalid public key: failure decoding PEM')
  if (first.label !== 'PUBLIC KEY' && first.label !== 'CERTIFICATE') {
    return invalid(`invalid public key: cannot handle type ${first.label}`)
  }
  if (!onlyBlocks(armour)) return invalid('error during PEM decoding')
  return blocks
}

/** True when nothing but white space stands between blocks and behind the last. */
function onlyBlocks(armour: string): boolean {
  let inside = false
  for (const line of armour.split('\n')) {
    const text = line.trim()
    if (text.startsWith('-----BEGIN ')) inside = true
    else if (text.startsWith('-----END ')) inside = false
    else if (!inside && text !== '') return false
  }
  return true
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    // Well-formed and of a kind that no entry may have: the reference says so after the signature (P-224), and never takes one.
    if (cause.code === 'CRYPTO_KEY_UNSUPPORTED') return invalid('entry algorithms are not allowed', cause)
    return invalid(`x509: ${cause.message}`, cause)
  }
}

function canonicalOf(sent: Decoded, text: string, blocks: readonly { label: string; bytes: Uint8Array }[]): string {
  // Every client sends the canonical form, and then it is there already: base64 was strict, so its text is the one that this would make again.
  if (blocks.length === 1 && CANONICAL.test(text)) return sent.text
  return base64Encode(utf8Encode(blocks.map(({ label, bytes }) => pemEncode(label, bytes)).join('')))
}
