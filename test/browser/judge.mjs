// Judges one case, in Node or in a page: the caller chooses the cryptography.
import { parseBundle } from '@touchmark/bundle'
import { parsePublicKeyPem } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { parseTrustedRoot } from '@touchmark/trust'
import { verifyBundle } from '@touchmark/verify'
import { fromWire, toWire } from './wire.mjs'

/**
 * `text` is a case in wire form: `{ bundle, root, artifact, policy, key? | keysByHint? }`. Bundle, root and key are files as they came, or values
 * that are already parsed. Gives, as wire text, `{ result }` or `{ code, message, details }`; a fault (no coded error) gives `{ fault }`.
 */
export function judge(text, crypto) {
  try {
    return toWire({ result: verify(fromWire(text), crypto) })
  } catch (error) {
    if (!isCodedError(error)) return toWire({ fault: String(error?.stack ?? error) })
    return toWire({ code: error.code, message: error.message, details: error.details })
  }
}

function verify({ bundle, root, artifact, policy, key, keysByHint }, crypto) {
  const trusted = root instanceof Uint8Array ? parseTrustedRoot(root) : root
  const keys = keysByHint && new Map([...keysByHint].map(([hint, pem]) => [hint, parsePublicKeyPem(pem)]))
  const byKey = key === undefined ? keys && { keysByHint: keys } : { key: parsePublicKeyPem(key) }
  return verifyBundle({
    bundle: bundle instanceof Uint8Array ? parseBundle(bundle) : bundle,
    artifact,
    trust: byKey === undefined ? trusted : { ...byKey, root: trusted },
    policy,
    crypto,
  })
}
