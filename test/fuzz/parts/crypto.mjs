import { nodeCrypto } from '@touchmark/crypto/node'

const always = { ...nodeCrypto, verify: () => true, verifyDigest: () => true }
const half = (key, _scheme, _message, signature) => ((signature.at(-1) ^ key.keyBits.at(-1)) & 1) === 0
const sometimes = { ...nodeCrypto, verify: half, verifyDigest: half }

/** What checks signatures for this input: the real thing, or one that believes all or half of them, so that what stands behind is reached too. */
export function cryptoFor(input) {
  return [nodeCrypto, always, sometimes, always][input.length % 4]
}

export const sha256 = (bytes) => nodeCrypto.hash('SHA2_256', bytes)
