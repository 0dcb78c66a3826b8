import { createPrivateKey } from 'node:crypto'
import type { Signer } from '@touchmark/crypto'
import type { PemBlock } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { KeyfileError } from './errors.js'
import { MAX_KEY_FILE_BYTES, onlyBlock } from './pem-file.js'
import { unsupportedKey, usableSigner } from './private-key-file.js'

/** The forms of private keys that cosign imports, by PEM label. */
const FORMS: ReadonlyMap<string, 'pkcs1' | 'sec1' | 'pkcs8'> = new Map([
  ['RSA PRIVATE KEY', 'pkcs1'],
  ['EC PRIVATE KEY', 'sec1'],
  ['PRIVATE KEY', 'pkcs8'],
])
const PLAIN = 'openssl pkcs8 -topk8 -nocrypt -in FILE -out plain.pem'
const PROBE = Uint8Array.of(0)

/**
 * Reads a private key that is not encrypted, as `cosign import-key-pair` does (contract/bundle-and-oci.md §6): one PEM block of RSA (PKCS#1, PKCS#8),
 * ECDSA (SEC1, PKCS#8) or Ed25519 (PKCS#8). Resolves only with a key that has signed and verified something.
 * Throws KEYFILE_IMPORT_INVALID, KEYFILE_IMPORT_ENCRYPTED, KEYFILE_KEY_UNSUPPORTED.
 */
export async function importPrivateKey(file: Uint8Array): Promise<Signer> {
  if (file.length > MAX_KEY_FILE_BYTES) throw invalid(`more than ${MAX_KEY_FILE_BYTES} bytes`)
  const block = readBlock(file)
  try {
    const pkcs8 = toPkcs8(block, FORMS.get(block.label)!)
    try {
      const signer = usableSigner(pkcs8)
      // A file can hold a public half that is not its private half's: what such a key signs verifies nowhere.
      await signer.sign(PROBE)
      return signer
    } finally {
      pkcs8.fill(0)
    }
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof KeyfileError) throw cause
    throw unsupportedKey(cause.message, cause)
  } finally {
    block.bytes.fill(0)
  }
}

function readBlock(file: Uint8Array): PemBlock {
  let block: PemBlock | undefined
  try {
    // OpenSSL's own encryption stands in headers, which are not part of what is decoded.
    if (/^Proc-Type:[^\n]*ENCRYPTED/m.test(new TextDecoder().decode(file)))
      throw encrypted('PEM with "Proc-Type: 4,ENCRYPTED"')
    block = onlyBlock(file)
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof KeyfileError) throw cause
    throw invalid(cause.message, cause)
  }
  if (block === undefined)
    throw invalid('no PEM block, or several', undefined, `Keep the private key alone, or convert it: ${PLAIN}`)
  if (FORMS.has(block.label)) return block
  block.bytes.fill(0)
  if (block.label === 'ENCRYPTED PRIVATE KEY') throw encrypted(`PEM "${block.label}"`)
  if (/^ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY$/.test(block.label))
    throw invalid(`PEM "${block.label}"`, undefined, 'This is a key file already: use it with --key.')
  throw invalid(`PEM "${block.label}"`)
}

function toPkcs8({ bytes }: PemBlock, type: 'pkcs1' | 'sec1' | 'pkcs8'): Uint8Array {
  try {
    const key = createPrivateKey({
      key: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      format: 'der',
      type,
    })
    return key.export({ type: 'pkcs8', format: 'der' })
  } catch (cause) {
    throw invalid(`a private key that cannot be read`, cause)
  }
}

function encrypted(found: string): KeyfileError {
  return new KeyfileError('KEYFILE_IMPORT_ENCRYPTED', 'the private key is encrypted in another format', {
    expected: 'a private key that is not encrypted',
    found,
    hint: `Decrypt it first, and remove the plain file afterwards: ${PLAIN}`,
  })
}

function invalid(found: string, cause?: unknown, hint?: string): KeyfileError {
  return new KeyfileError('KEYFILE_IMPORT_INVALID', 'the file does not hold one private key that can be imported', {
    cause,
    expected: 'one PEM block "PRIVATE KEY", "EC PRIVATE KEY" or "RSA PRIVATE KEY"',
    found,
    ...(hint === undefined ? {} : { hint }),
  })
}
