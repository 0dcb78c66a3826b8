// Verifies one bundle again and again, as verifyload does: node verify-loop.mjs '{"bundle":…,"root":…,"artifact":…,"identity":…,"issuer":…,"seconds":2}'
// Parsing the bundle is in the loop, parsing the trusted root is not; nothing else is kept from one to the next but what the verifier keeps itself.
import { readFileSync } from 'node:fs'
import { parseBundle } from '@touchmark/bundle'
import { nodeCrypto } from '@touchmark/crypto/node'
import { parseTrustedRoot } from '@touchmark/trust'
import { verifyBundle } from '@touchmark/verify'

const { bundle, root, artifact, identity, issuer, seconds } = JSON.parse(process.argv[2])
const raw = readFileSync(bundle)
const bytes = readFileSync(artifact)
const trust = parseTrustedRoot(readFileSync(root))
const policy = { identities: [{ subject: { exact: identity }, issuer }] }
const once = () => verifyBundle({ bundle: parseBundle(raw), artifact: { bytes }, trust, policy, crypto: nodeCrypto })

function rate(forMs) {
  const began = performance.now()
  let count = 0
  for (; performance.now() - began < forMs; count++) once()
  return (1000 * count) / (performance.now() - began)
}

rate(1000)
console.log(JSON.stringify({ perSecond: rate(seconds * 1000) }))
