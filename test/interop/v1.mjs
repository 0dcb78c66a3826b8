// API v1: cosign 2 signs and verifies through it, with a bundle and by asking the log; rekor-cli writes, reads, searches and audits.
import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checker } from './checker.mjs'
import { WHO } from './matrix.mjs'

const exec = promisify(execFile)
const PREDICATE_TYPE = 'https://example.org/predicate'
const IN_TOTO = 'application/vnd.in-toto+json'
const ENTRY_ID = /[0-9a-f]{80}/

const pem = (label, base64) =>
  `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g).join('\n')}\n-----END ${label}-----\n`

/** What cosign 2 trusts without TUF: the CA, the certificate log and the log of API v1. */
async function trustFiles(stack, folder) {
  const trust = JSON.parse(readFileSync(stack.root, 'utf8'))
  const file = (name, text) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const ca = trust.certificateAuthorities[0].certChain.certificates.map(({ rawBytes }) => pem('CERTIFICATE', rawBytes))
  const logKey = await (await fetch(`${stack.url}/api/v1/log/publicKey`)).text()
  const known = trust.tlogs.map(({ publicKey }) => pem('PUBLIC KEY', publicKey.rawBytes))
  if (!known.includes(logKey)) throw new Error('the trusted root does not have the key of API v1')
  return {
    SIGSTORE_ROOT_FILE: file('v1-ca.pem', ca.join('')),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: file('v1-ct.pub', pem('PUBLIC KEY', trust.ctlogs[0].publicKey.rawBytes)),
    SIGSTORE_REKOR_PUBLIC_KEY: file('v1-log.pub', logKey),
  }
}

/** A key pair as files, an artifact and its signature, and an in-toto envelope about it. */
function keyAndArtifact(folder) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const path = (name, content) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const signed = (name) => {
    const data = randomBytes(100)
    return {
      sha256: createHash('sha256').update(data).digest('hex'),
      artifact: path(name, data),
      signature: path(`${name}.sig`, sign('sha256', data, privateKey)),
    }
  }
  const statement = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'a', digest: { sha256: createHash('sha256').update(randomBytes(8)).digest('hex') } }],
    predicateType: PREDICATE_TYPE,
    predicate: {},
  })
  const pae = `DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${statement.length} ${statement}`
  const envelope = {
    payload: Buffer.from(statement).toString('base64'),
    payloadType: IN_TOTO,
    signatures: [{ sig: sign('sha256', Buffer.from(pae), privateKey).toString('base64') }],
  }
  return {
    key: path('v1-key.pub', publicKey.export({ type: 'spki', format: 'pem' })),
    hashed: signed('v1-hashed'),
    rekord: signed('v1-rekord'),
    envelope: path('v1-envelope.json', JSON.stringify(envelope)),
  }
}

async function cosignTests({ stack, cosign, token, file, folder, check }) {
  const environment = { ...process.env, ...(await trustFiles(stack, folder)), HOME: join(folder, 'v1-home') }
  const run = (...args) => exec(cosign, args, { env: environment, maxBuffer: 16 << 20 })
  const services = ['--fulcio-url', stack.url, '--rekor-url', stack.url, '--identity-token', token]
  const who = ['--certificate-identity', WHO, '--certificate-oidc-issuer', stack.issuer]
  const out = (name) => join(folder, `v1-${name}`)
  const online = ['--rekor-url', stack.url]
  const predicate = out('predicate.json')
  writeFileSync(predicate, '{"x":1}\n')
  const about = ['--type', PREDICATE_TYPE]
  const kept = (name) => [
    '--output-signature',
    out(`${name}.sig`),
    '--output-certificate',
    out(`${name}.pem`),
    '--bundle',
    out(`${name}.json`),
  ]
  const bundle = (name) => ['--bundle', out(`${name}.json`)]
  const asked = (name) => ['--certificate', out(`${name}.pem`), '--signature', out(`${name}.sig`)]

  await check('cosign 2 sign-blob', () => run('sign-blob', '--yes', ...services, ...kept('blob'), file))
  await check('cosign 2 verify-blob, with the bundle', () =>
    run('verify-blob', ...online, ...bundle('blob'), ...who, file),
  )
  await check('cosign 2 verify-blob, by asking the log', () =>
    run('verify-blob', ...online, ...asked('blob'), ...who, file),
  )
  for (const type of ['dsse', 'intoto']) {
    await check(`cosign 2 attest-blob, ${type}`, () =>
      run(
        'attest-blob',
        '--yes',
        ...services,
        ...about,
        ...['--rekor-entry-type', type, '--predicate', predicate],
        ...kept(type),
        file,
      ),
    )
    await check(`cosign 2 verify-blob-attestation, ${type}, with the bundle`, () =>
      run('verify-blob-attestation', ...online, ...bundle(type), ...about, ...who, file),
    )
    await check(`cosign 2 verify-blob-attestation, ${type}, by asking the log`, () =>
      run('verify-blob-attestation', ...online, ...asked(type), ...about, ...who, file),
    )
  }
  const newFormat = ['--new-bundle-format', '--bundle', out('new.json')]
  await check('cosign 2 sign-blob, bundle of version 0.3', () =>
    run('sign-blob', '--yes', ...services, ...newFormat, file),
  )
  await check('cosign 2 verifies it with our trusted root', () =>
    run('verify-blob', '--trusted-root', stack.root, ...newFormat, ...who, file),
  )
  await check('touchmark verifies it', () => stack.touchmark('verify', file, '--bundle', out('new.json'), ...who))
}

async function rekorTests({ stack, rekorCli, folder, check }) {
  const { key, hashed, rekord, envelope } = keyAndArtifact(folder)
  const home = join(folder, 'v1-rekor-home')
  mkdirSync(home, { recursive: true })
  const run = async (...args) => {
    const all = ['--rekor_server', stack.url, ...args]
    return (await exec(rekorCli, all, { env: { ...process.env, HOME: home }, maxBuffer: 16 << 20 })).stdout
  }
  const by = ['--public-key', key, '--pki-format', 'x509']
  const signed = ({ artifact, signature }) => ['--artifact', artifact, '--signature', signature]
  const id = {}
  const wants = (text, wanted) => {
    if (!text.includes(wanted)) throw new Error(`${JSON.stringify(text.slice(0, 200))} does not have ${wanted}`)
  }

  await check('rekor-cli loginfo', () => run('loginfo'))
  const uploads = {
    hashedrekord: signed(hashed),
    rekord: signed(rekord),
    dsse: ['--artifact', envelope],
    intoto: ['--artifact', envelope],
  }
  for (const [type, args] of Object.entries(uploads)) {
    await check(`rekor-cli upload, ${type}`, async () => {
      const text = await run('upload', '--type', type, ...args, ...by)
      wants(text, 'Created entry at index')
      id[type] = ENTRY_ID.exec(text)[0]
    })
  }
  await check('rekor-cli upload, once more', async () =>
    wants(
      await run('upload', ...signed(hashed), ...by),
      `Entry already exists; available at: ${stack.url}/api/v1/log/`,
    ),
  )
  for (const type of Object.keys(uploads)) {
    await check(`rekor-cli get --uuid, ${type}`, async () => wants(await run('get', '--uuid', id[type]), 'Index: '))
  }
  await check('rekor-cli get --log-index', () => run('get', '--log-index', '1'))
  await check('rekor-cli verify, hashedrekord', () => run('verify', ...signed(hashed), ...by))
  await check('rekor-cli verify, rekord', () => run('verify', '--type', 'rekord', ...signed(rekord), ...by))
  await check('rekor-cli verify, dsse', () => run('verify', '--type', 'dsse', '--artifact', envelope, ...by))
  await check('rekor-cli verify, intoto', () => run('verify', '--type', 'intoto:0.0.2', '--artifact', envelope, ...by))
  await check('rekor-cli verify --uuid', () => run('verify', '--uuid', id.hashedrekord))
  await check('rekor-cli verify --log-index', () => run('verify', '--log-index', '0'))
  await check('rekor-cli loginfo, the tree has grown', () => run('loginfo'))
  await check('rekor-cli logproof', () => run('logproof', '--first-size', '1', '--last-size', '3'))

  // The index follows the log by itself: a first question may come too early.
  const found = async (wanted, ...args) => {
    for (let left = 50; ; left--) {
      const text = await run('search', ...args).catch((error) => String(error.stderr || error.message))
      if (wanted.every((one) => text.includes(one)) && ENTRY_ID.test(text)) return
      if (left === 0) throw new Error(`${JSON.stringify(text.slice(0, 200))} does not have ${wanted.join(', ')}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  await check('rekor-cli search --artifact', () => found([id.hashedrekord], '--artifact', hashed.artifact))
  await check('rekor-cli search --sha', () => found([id.rekord], '--sha', rekord.sha256))
  await check('rekor-cli search --public-key', () => found([id.hashedrekord, id.rekord], ...by))
  await check('rekor-cli search --operator and', () =>
    found([id.rekord], '--sha', rekord.sha256, ...by, '--operator', 'and'),
  )
  await check('rekor-cli search --email', () => found([], '--email', WHO))
}

/** Runs everything that the clients that are there can do. */
export async function testV1({ stack, found, token, file, folder, report }) {
  console.log('\nAPI v1')
  const check = checker(report)
  if (found.cosign2) await cosignTests({ stack, cosign: found.cosign2, token, file, folder, check })
  if (found.rekorCli) await rekorTests({ stack, rekorCli: found.rekorCli, folder, check })
}
