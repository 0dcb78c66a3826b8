// Keys instead of logins: key files of ours and of both cosigns, each used by all, and the bundles verified by all with the public key.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runMatrix } from './matrix.mjs'
import { verifyWithKey } from './sigstore-js.mjs'
import { root } from './stack.mjs'

const exec = promisify(execFile)
const PASSWORD = 'pass word'
const DSSE_V1 = 'sigstore-go 1.1 logs attestations as dsse 0.0.2, which 1.2 and later refuse'
const JS_DSSE = '@sigstore/verify 3 compares a hashedrekord with the payload, not with the PAE'
const JS_SHA256 = '@sigstore/verify 3 hashes envelopes with SHA-256 for every key'
/** Attestations that do not pass between two clients, whatever the server (docs/contract/bundle-and-oci.md §1). */
const ATTESTATIONS = { 'cosign js': JS_DSSE, 'touchmark js': JS_DSSE, 'cosign2 cosign': DSSE_V1 }

/** The programs, with the environment in which they find the password. */
function programs(stack, found) {
  const environment = { ...stack.environment, COSIGN_PASSWORD: PASSWORD }
  delete environment.TOUCHMARK_KEY_PASSWORD
  const run = (program, args, cwd) => exec(program, args, { env: environment, cwd, maxBuffer: 16 << 20 })
  return {
    touchmark: (...args) => run(process.execPath, [stack.bin, ...args]),
    cosign: (...args) => run(found.cosign, args),
    cosign2: (...args) => run(found.cosign2, args),
    openssl: (...args) => run('openssl', args),
  }
}

/** What each client does with a key pair; `digest`: what cosign must be told for curves other than P-256. */
function clientsOf({ stack, found, file, predicate }, { privateKey, publicKey, digest }) {
  const { touchmark, cosign, cosign2 } = programs(stack, found)
  const services = ['--signing-config', stack.config, '--trusted-root', stack.root]
  const more = digest === undefined ? [] : ['--signature-digest-algorithm', digest]
  const cosignAs = (program, format, stamps) => ({
    sign: (out) => program('sign-blob', '-y', ...services, '--key', privateKey, '--bundle', out, file),
    verify: (bundle) => {
      const trust = ['--trusted-root', stack.root, ...format, ...stamps]
      return program('verify-blob', ...trust, ...more, '--key', publicKey, '--bundle', bundle, file)
    },
    attest: (out) => {
      const about = ['--predicate', predicate, '--type', 'slsaprovenance1']
      return program('attest-blob', '-y', ...services, ...format, '--key', privateKey, ...about, '--bundle', out, file)
    },
    verifyAttestation: (bundle) => {
      const trust = ['--trusted-root', stack.root, ...format, ...stamps, '--type', 'slsaprovenance1']
      return program('verify-blob-attestation', ...trust, ...more, '--key', publicKey, '--bundle', bundle, file)
    },
  })
  const verifyAs = (command) => (bundle) => touchmark(command, file, '--bundle', bundle, '--key', publicKey)
  const all = {
    touchmark: {
      sign: (out) => touchmark('sign', file, '--key', privateKey, '--bundle', out),
      verify: verifyAs('verify'),
      attest: (out) => {
        const about = ['--predicate', predicate, '--type', 'slsaprovenance1']
        return touchmark('attest', file, ...about, '--key', privateKey, '--bundle', out)
      },
      verifyAttestation: verifyAs('verify-attestation'),
    },
    cosign: cosignAs(cosign, [], []),
    cosign2: cosignAs(cosign2, ['--new-bundle-format'], ['--use-signed-timestamps']),
    // sigstore-js signs with keys only for who writes a signer of his own.
    js: {
      verify: async (bundle) => verifyWithKey(stack, bundle, readFileSync(file), publicKey),
      verifyAttestation: async (bundle) => verifyWithKey(stack, bundle, undefined, publicKey),
    },
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('cosign') || found[name]))
}

/** Key pairs by who made them, each in a folder of its own. */
function pairsOf({ stack, found, folder }) {
  const { touchmark, cosign, cosign2, openssl } = programs(stack, found)
  const place = (name) => {
    mkdirSync(join(folder, name))
    return join(folder, name, 'pair')
  }
  const pair = (prefix, more) => ({ privateKey: `${prefix}.key`, publicKey: `${prefix}.pub`, ...more })
  const made = (program, name) => async () => {
    const prefix = place(name)
    await program('generate-key-pair', '--output-key-prefix', prefix)
    return pair(prefix)
  }
  const ours = (type, more) => async () => {
    const prefix = place(type)
    await touchmark('key', 'generate', '--type', type, '--output', prefix)
    return pair(prefix, more)
  }
  const imported = (importer, algorithm, options) => async () => {
    const prefix = place(`${importer}-${algorithm}`)
    await openssl('genpkey', '-algorithm', algorithm, ...options, '-out', `${prefix}.pem`)
    if (importer === 'touchmark') await touchmark('key', 'import', '--key', `${prefix}.pem`, '--output', prefix)
    else await cosign('import-key-pair', '--key', `${prefix}.pem`, '--output-key-prefix', prefix)
    return pair(prefix)
  }
  const rsa = ['RSA', ['-pkeyopt', 'rsa_keygen_bits:2048']]
  return {
    'P-256 of touchmark': ours('P-256'),
    ...(found.cosign ? { 'P-256 of cosign 3': made(cosign, 'cosign3') } : {}),
    ...(found.cosign2 ? { 'P-256 of cosign 2': made(cosign2, 'cosign2') } : {}),
    'RSA 2048 imported by touchmark': imported('touchmark', ...rsa),
    ...(found.cosign ? { 'RSA 2048 imported by cosign 3': imported('cosign', ...rsa) } : {}),
    'P-384 of touchmark': ours('P-384', { digest: 'sha384' }),
    // Neither cosign nor sigstore-js verifies Ed25519ph (docs/contract/bundle-and-oci.md §6).
    'Ed25519 of touchmark': ours('Ed25519', { alone: true }),
  }
}

/** The public key that each program reads from a private key file is the one in the .pub file. */
async function samePublicKey(stack, found, title, { privateKey, publicKey, alone }, report) {
  const { touchmark, cosign, cosign2 } = programs(stack, found)
  const wanted = readFileSync(publicKey, 'utf8')
  const asked = { touchmark: () => touchmark('key', 'public', '--key', privateKey) }
  if (found.cosign && !alone) asked.cosign = () => cosign('public-key', '--key', privateKey)
  if (found.cosign2 && !alone) asked.cosign2 = () => cosign2('public-key', '--key', privateKey)
  for (const [name, ask] of Object.entries(asked)) {
    const problem = await ask().then(
      ({ stdout }) => (stdout.trim() === wanted.trim() ? undefined : 'another public key'),
      (error) =>
        String(error.stderr || error.message)
          .trim()
          .split('\n')
          .at(-1),
    )
    report(`${title}: ${name} opens the key file`, problem)
  }
}

/** sigstore-python verifies certificates only: its own word for a bundle of a key, so that a change is seen. */
async function pythonRefuses({ stack, found, file, report }, bundle) {
  const identity = ['--cert-identity', 'a@example.com', '--cert-oidc-issuer', stack.issuer]
  const args = ['--trust-config', stack.trust, 'verify', 'identity', '--bundle', bundle, ...identity, file]
  const outcome = await exec(found.python, args).then(
    () => 'it verified a bundle without a certificate',
    (error) => (/certificate/i.test(error.stderr) ? undefined : error.stderr.trim().slice(-200)),
  )
  report('sigstore-python has no way to verify with a key, and refuses the bundle', outcome)
}

export async function testKeys({ stack, found, file, folder: parent, report }) {
  const folder = join(parent, 'keys')
  mkdirSync(folder)
  const predicate = join(root, 'test', 'vectors', 'clients', 'bundles', 'slsa1.json')
  for (const [title, make] of Object.entries(pairsOf({ stack, found, folder }))) {
    let pair
    try {
      pair = await make()
    } catch (error) {
      report(
        `${title}: the key is made`,
        String(error.stderr || error.message)
          .trim()
          .slice(-200),
      )
      continue
    }
    await samePublicKey(stack, found, title, pair, report)
    const all = clientsOf({ stack, found, file, predicate }, pair)
    const clients = pair.alone ? { touchmark: all.touchmark } : all
    const bundles = join(folder, createHash('sha256').update(title).digest('hex').slice(0, 8))
    mkdirSync(bundles)
    const shared = { clients, folder: bundles, report }
    await runMatrix({ title: `files, ${title}`, make: 'sign', check: 'verify', ...shared })
    const cannot = pair.digest === undefined ? ATTESTATIONS : { ...ATTESTATIONS, 'cosign2 js': JS_SHA256 }
    const attest = { make: 'attest', check: 'verifyAttestation' }
    await runMatrix({ title: `attestations, ${title}`, ...attest, ...shared, cannot })
    if (title === 'P-256 of touchmark' && found.python)
      await pythonRefuses({ stack, found, file, report }, join(bundles, 'sign-touchmark.json'))
  }
}
