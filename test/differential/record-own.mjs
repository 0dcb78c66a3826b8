// Records the bundles of test/vectors/own at a new instance: node test/differential/record-own.mjs
import { mkdirSync, mkdtempSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeBundle } from '@touchmark/bundle'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { pemEncode } from '@touchmark/encoding'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { managedKey, obtainIdentity, signBlob, signStatement } from '@touchmark/sign'
import { parseSigningConfig } from '@touchmark/trust'
import { signContext } from '../conformance/parts/sign-bundle.mjs'
import { startStack } from '../interop/stack.mjs'

const WHO = 'dev@example.com'
const target = fileURLToPath(new URL('../vectors/own', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'touchmark-record-'))
const stack = await startStack(folder)
try {
  mkdirSync(target, { recursive: true })
  const artifact = Buffer.from('an artifact of our own\n')
  const sha256 = createHash('sha256').update(artifact).digest('hex')
  const statement = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'a.txt', digest: { sha256 } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: { buildDefinition: { buildType: 'https://example.com/build' } },
    }),
  )
  const token = (await stack.touchmark('token', '--email', WHO)).stdout.trim()
  const context = signContext(parseSigningConfig(readFileSync(stack.config)))
  const p256 = () => generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  const p384 = () => generateSigner({ kind: 'ecdsa', curve: 'P-384' })
  const key = p256()
  const identities = {
    p256: await obtainIdentity(token, p256, context),
    p384: await obtainIdentity(token, p384, context),
    key: managedKey(key, nodeCrypto),
  }
  for (const [name, identity] of Object.entries(identities)) {
    const blob = await signBlob(artifact, identity, context)
    writeFileSync(join(target, `${name}.blob.sigstore.json`), encodeBundle(blob))
    const attestation = await signStatement(statement, 'application/vnd.in-toto+json', identity, context)
    writeFileSync(join(target, `${name}.att.sigstore.json`), encodeBundle(attestation))
  }
  writeFileSync(join(target, 'a.txt'), artifact)
  writeFileSync(join(target, 'key.pub'), pemEncode('PUBLIC KEY', key.publicKey.spki))
  writeFileSync(join(target, 'signer.json'), `${JSON.stringify({ identity: WHO, issuer: stack.issuer })}\n`)
  copyFileSync(stack.root, join(target, 'trusted_root.json'))
} finally {
  await stack.stop()
  await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
  rmSync(folder, { recursive: true, force: true })
}
