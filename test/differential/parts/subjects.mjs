// What bundles are about, and bundles that verify: sigstore-conformance's (when they are there), recorded ones of other clients, and our own.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outsideVectors } from '../../support/outside-vectors.mjs'

const vectors = fileURLToPath(new URL('../../vectors', import.meta.url))
const conformance = outsideVectors('sigstore-conformance')
const BEACON =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main'

/**
 * `subjects`: what a judge is told first (trusted root and artifact as bytes, then a signer or a key). `bundles`: text with its subject; one that
 * should verify is a seed, the others only lend parts.
 */
export function readSources() {
  const groups = [recorded('clients', clientBundles()), recorded('own', ownBundles()), conformanceBundles()]
  return {
    subjects: groups.flatMap((group) => group.subjects),
    bundles: groups.flatMap((group) => group.bundles),
    hasConformance: groups[2].subjects.length > 0,
  }
}

const bytes = (path) => new Uint8Array(readFileSync(path))
const text = (path) => readFileSync(path, 'utf8')

/** Recorded bundles come keyless and with a key, under one root and over one artifact. */
function recorded(name, { root, artifact, signer, key, files }) {
  const common = { trustedRoot: bytes(root), artifact: bytes(artifact) }
  return {
    subjects: [
      { name, ...common, ...signer },
      { name: `${name} key`, ...common, key: text(key) },
    ],
    bundles: files.map((path) => ({
      name: `${name}/${basename(path, '.json')}`,
      subject: basename(path).includes('key.') ? `${name} key` : name,
      text: text(path),
      seed: true,
    })),
  }
}

function clientBundles() {
  const folder = join(vectors, 'clients')
  const names = Object.keys(JSON.parse(text(join(folder, 'bundles/expected.json'))))
  return {
    root: join(folder, 'trusted_root.json'),
    artifact: join(folder, 'bundles/a.txt'),
    signer: { identity: 'dev@example.com', issuer: 'http://localhost:9998' },
    key: join(folder, 'keys/cosign.pub'),
    files: names.map((name) => join(folder, 'bundles', name)),
  }
}

function ownBundles() {
  const folder = join(vectors, 'own')
  return {
    root: join(folder, 'trusted_root.json'),
    artifact: join(folder, 'a.txt'),
    signer: JSON.parse(text(join(folder, 'signer.json'))),
    key: join(folder, 'key.pub'),
    files: readdirSync(folder)
      .filter((name) => name.endsWith('.sigstore.json'))
      .map((name) => join(folder, name)),
  }
}

function conformanceBundles() {
  if (conformance === undefined) return { subjects: [], bundles: [] }
  const folder = join(conformance, 'bundle-verify')
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  const own = (name, path) => join(folder, name, path)
  const ownOr = (name, path, otherwise) =>
    existsSync(own(name, path)) ? own(name, path) : join(conformance, otherwise)
  const textOr = (name, path, otherwise) => (existsSync(own(name, path)) ? text(own(name, path)).trim() : otherwise)
  const good = names.filter((name) => !name.endsWith('_fail'))
  return {
    subjects: good.map((name) => ({
      name: `conformance/${name}`,
      trustedRoot: bytes(ownOr(name, 'trusted_root.json', 'public-good.trusted_root.json')),
      artifact: bytes(ownOr(name, 'artifact', 'a.txt')),
      ...(existsSync(own(name, 'key.pub'))
        ? { key: text(own(name, 'key.pub')) }
        : {
            identity: textOr(name, 'identity', BEACON),
            issuer: textOr(name, 'issuer', 'https://token.actions.githubusercontent.com'),
          }),
    })),
    bundles: names
      .map((name) => ({
        name: `conformance/${name}`,
        subject: `conformance/${name}`,
        text: text(own(name, 'bundle.sigstore.json')),
        seed: good.includes(name),
      }))
      .filter(({ text: json }) => isJson(json)),
  }
}

function isJson(json) {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}
