import { checkKeyStrength, parsePublicKeyDer, type PublicKey } from '@touchmark/crypto'
import { pemEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { KeyfileError } from './errors.js'
import { MAX_KEY_FILE_BYTES, onlyBlock } from './pem-file.js'

/**
 * Reads the one public key of a file such as `cosign.pub`: PEM `PUBLIC KEY` (SPKI) of a kind that bundles are signed with.
 * Throws KEYFILE_PUBLIC_KEY_INVALID.
 */
export function parsePublicKeyFile(bytes: Uint8Array): PublicKey {
  if (bytes.length > MAX_KEY_FILE_BYTES) throw invalid(`more than ${MAX_KEY_FILE_BYTES} bytes`)
  let label: string | undefined
  try {
    const block = onlyBlock(bytes)
    label = block?.label
    if (block?.label === 'PUBLIC KEY') {
      const key = parsePublicKeyDer(block.bytes)
      // Under a weak key anybody signs: what it verifies proves nothing.
      checkKeyStrength(key)
      return key
    }
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw invalid(cause.message, cause)
  }
  if (label?.includes('PRIVATE KEY') === true)
    throw new KeyfileError('KEYFILE_PUBLIC_KEY_INVALID', 'this is a private key', {
      expected: 'PEM "PUBLIC KEY"',
      found: `PEM "${label}"`,
      hint: 'Give the .pub file beside it, or make one with `touchmark key public --key FILE`.',
    })
  throw invalid(label === undefined ? 'not one PEM block' : `PEM "${label}"`)
}

/** The file of a public key, as cosign writes `cosign.pub`. */
export function encodePublicKeyFile(key: PublicKey): string {
  return pemEncode('PUBLIC KEY', key.spki)
}

function invalid(found: string, cause?: unknown): KeyfileError {
  return new KeyfileError('KEYFILE_PUBLIC_KEY_INVALID', 'the file does not hold one public key that can be used', {
    cause,
    expected: 'one PEM block "PUBLIC KEY": ECDSA P-256, P-384 or P-521, RSA of 2048, 3072 or 4096 bits, or Ed25519',
    found,
  })
}
