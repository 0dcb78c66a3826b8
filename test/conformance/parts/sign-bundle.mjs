import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { encodeBundle, parseBundle, parseStatement } from '@touchmark/bundle'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { HTTP_DEFAULTS, obtainIdentity, signBlob, signStatement } from '@touchmark/sign'
import { parseSigningConfig, parseTrustedRoot, selectServices } from '@touchmark/trust'
import { verifyBundle } from '@touchmark/verify'
import { fulcioExtensions, parseCertificate } from '@touchmark/x509'

/** Signs a file, or an in-toto statement as it stands, at the services of the signing config. The bundle is written only once it verifies. */
export async function signBundleCommand({ artifact, bundle, trustedRoot, signingConfig, token, inToto }) {
  const trust = parseTrustedRoot(readFileSync(trustedRoot))
  const context = signContext(parseSigningConfig(readFileSync(signingConfig)))
  const bytes = new Uint8Array(readFileSync(artifact))
  const subject = inToto ? subjectOf(bytes) : { bytes }
  const identity = await obtainIdentity(token, () => generateSigner({ kind: 'ecdsa', curve: 'P-256' }), context)
  const made = inToto
    ? await signStatement(bytes, 'application/vnd.in-toto+json', identity, context)
    : await signBlob(bytes, identity, context)
  const text = encodeBundle(made)
  verifyBundle({
    bundle: parseBundle(utf8Encode(text)),
    artifact: subject,
    trust,
    policy: { identities: [holderOf(identity.certificate)] },
    crypto: nodeCrypto,
  })
  writeFileSync(bundle, text)
}

/** The first digest that the statement names: what is signed is about it. Throws BUNDLE_STATEMENT_INVALID. */
function subjectOf(statement) {
  const { subjects } = parseStatement(statement)
  const named = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' }
  for (const { digest } of subjects)
    for (const [name, algorithm] of Object.entries(named))
      if (digest.has(name)) return { digest: digest.get(name), algorithm }
  // None that can be compared: the verifier says so.
  return { digest: new Uint8Array(32), algorithm: 'SHA2_256' }
}

function holderOf(certificate) {
  const leaf = parseCertificate(certificate)
  return { subject: { exact: leaf.san[0]?.value ?? '' }, issuer: fulcioExtensions(leaf).issuer ?? '' }
}

/** The services that a signing config names, for the libraries. */
export function signContext({ caUrls, rekorTlogUrls, rekorTlogConfig, tsaUrls, tsaConfig }) {
  const now = systemClock.now()
  const first = (services, versions, selector) => selectServices(services, { versions, now, selector })[0].url
  return {
    services: {
      caUrl: first(caUrls, [1]),
      logUrl: first(rekorTlogUrls, [2], rekorTlogConfig),
      tsaUrl: first(tsaUrls, [1], tsaConfig),
    },
    http: {
      ...HTTP_DEFAULTS,
      fetch: (url, init) => fetch(url, init),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
    },
    crypto: nodeCrypto,
    nonce: () => randomBytes(8).readBigUInt64BE(),
    elapsed: () => performance.now(),
  }
}
