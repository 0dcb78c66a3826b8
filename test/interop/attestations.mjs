// Attestations of every predicate type that cosign names and of the SBOM types beside them: ours verified by others, and theirs by `touchmark verify-attestation`
// and `touchmark sbom get`.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { checker } from './checker.mjs'
import { WHO } from './matrix.mjs'
import * as js from './sigstore-js.mjs'

const exec = promisify(execFile)
const STATEMENT = 'https://in-toto.io/Statement/v1'

const spdx = {
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'artifact.txt',
  documentNamespace: 'https://example.com/spdx/artifact-1',
  creationInfo: { created: '2026-03-01T08:30:00Z', creators: ['Tool: syft-1.18.0'] },
  packages: [{ SPDXID: 'SPDXRef-Package-a', name: 'a<b>&c', downloadLocation: 'NOASSERTION' }],
}
const syft = {
  artifacts: [{ id: 'a', name: 'left-pad', version: '1.3.0', type: 'npm' }],
  artifactRelationships: [],
  source: { id: 's', name: 'artifact.txt', version: '1', type: 'file' },
  descriptor: { name: 'syft', version: '1.18.0' },
  schema: {
    version: '16.0.18',
    url: 'https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.0.18.json',
  },
}

/** Predicates by the `--type` that both know; `cosign`, where cosign has no name for it. */
const TYPES = [
  { type: 'custom', predicate: 'any text, "quoted"\n' },
  {
    type: 'slsaprovenance',
    predicate: {
      builder: { id: 'https://example.com/builder' },
      buildType: 'https://example.com/b',
      invocation: { configSource: { uri: 'git+https://example.com/a', digest: { sha1: 'ab' } } },
    },
  },
  {
    type: 'slsaprovenance1',
    predicate: {
      buildDefinition: { buildType: 'https://example.com/b', externalParameters: { ref: 'main' } },
      runDetails: { builder: { id: 'https://example.com/builder' } },
    },
  },
  {
    type: 'link',
    predicate: {
      _type: 'link',
      name: 'build',
      command: ['make'],
      materials: {},
      products: {},
      byproducts: {},
      environment: {},
    },
  },
  {
    type: 'vuln',
    predicate: {
      invocation: { parameters: [], uri: '', event_id: '', 'builder.id': '' },
      scanner: {
        uri: 'pkg:github/aquasecurity/trivy@0.58.1',
        version: '0.58.1',
        db: { uri: '', version: '' },
        result: {},
      },
      metadata: { scanStartedOn: '2026-02-03T04:05:06Z', scanFinishedOn: '2026-02-03T04:05:07Z' },
    },
  },
  {
    type: 'openvex',
    predicate: {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'https://openvex.dev/docs/example/vex-1',
      author: 'somebody',
      timestamp: '2026-01-08T18:02:03Z',
      version: 1,
      statements: [{ vulnerability: { name: 'CVE-2023-12345' }, status: 'fixed' }],
    },
  },
  { type: 'spdxjson', predicate: spdx, sbom: true },
  {
    type: 'cyclonedx',
    predicate: {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      components: [{ type: 'library', name: 'left-pad', version: '1.3.0' }],
    },
    sbom: true,
  },
  { type: 'syftjson', cosign: 'https://syft.dev/bom', predicate: syft, sbom: true },
  { type: 'https://example.org/own/v1', predicate: { a: [1, 2] } },
]

const URI = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  syftjson: 'https://syft.dev/bom',
}

const wants = (condition, text) => {
  if (!condition) throw new Error(text)
}

/** Everything that one pair of clients does with one type of predicate. */
class Attestations {
  constructor({ stack, found, token, file, folder, check }) {
    Object.assign(this, { stack, found, token, file, check })
    this.folder = join(folder, 'attestations')
    mkdirSync(this.folder)
    this.who = ['--certificate-identity', WHO, '--certificate-oidc-issuer', stack.issuer]
    this.trust = ['--signing-config', stack.config, '--trusted-root', stack.root, '--identity-token', token]
  }

  path(name) {
    return join(this.folder, name.replaceAll(/[^\w.-]/g, '_'))
  }

  write(name, content) {
    writeFileSync(this.path(name), typeof content === 'string' ? content : JSON.stringify(content))
    return this.path(name)
  }

  run(program, ...args) {
    // No home of its own: cosign would look for the public TUF repository there.
    return exec(program, args, { env: { ...process.env, HOME: this.folder }, maxBuffer: 16 << 20 })
  }

  cosignVerifies(bundle, type) {
    const about = ['--trusted-root', this.stack.root, ...this.who, '--type', type, '--bundle', bundle]
    return this.run(this.found.cosign, 'verify-blob-attestation', ...about, this.file)
  }

  cosign2Verifies(bundle, type) {
    const about = ['--trusted-root', this.stack.root, '--use-signed-timestamps', ...this.who, '--type', type]
    return this.run(
      this.found.cosign2,
      'verify-blob-attestation',
      '--new-bundle-format',
      ...about,
      '--bundle',
      bundle,
      this.file,
    )
  }

  pythonVerifies(bundle) {
    const who = ['--cert-identity', WHO, '--cert-oidc-issuer', this.stack.issuer]
    return this.run(
      this.found.python,
      '--trust-config',
      this.stack.trust,
      'verify',
      'identity',
      '--bundle',
      bundle,
      ...who,
      this.file,
    )
  }

  touchmarkVerifies(bundle, type) {
    return this.stack.touchmark('verify-attestation', this.file, '--type', type, '--bundle', bundle, ...this.who)
  }

  async touchmarkGets(bundle, type, predicate, exact) {
    const { stdout } = await this.stack.touchmark(
      'sbom',
      'get',
      this.file,
      '--type',
      type,
      '--bundle',
      bundle,
      ...this.who,
    )
    if (exact) wants(stdout === readFileSync(predicate, 'utf8'), 'the SBOM is not the file that was attested')
    wants(
      isDeepStrictEqual(JSON.parse(stdout), JSON.parse(readFileSync(predicate, 'utf8'))),
      'the SBOM is another than the one that was attested',
    )
  }

  async ours({ type, cosign = type, sbom, predicate }) {
    const { check, found } = this
    const from = this.write(
      `${type}.predicate`,
      typeof predicate === 'string' ? predicate : `${JSON.stringify(predicate, undefined, 2)}\n`,
    )
    const bundle = this.path(`ours-${type}.json`)
    const about = sbom ? ['--sbom', from] : ['--predicate', from, '--type', type]
    const attested = await check(`touchmark attest ${about[0]}, ${type}`, () =>
      this.stack.touchmark('attest', this.file, ...about, '--identity-token', this.token, '--bundle', bundle),
    )
    if (!attested) return
    if (found.cosign) await check(`cosign 3 verifies ${type}`, () => this.cosignVerifies(bundle, cosign))
    if (found.cosign)
      await check(`cosign 3 refuses ${type} as another type`, async () => {
        const error = await this.cosignVerifies(bundle, 'https://example.org/other').then(
          () => undefined,
          (one) => one,
        )
        wants(error !== undefined, 'it was taken')
      })
    if (found.cosign2) await check(`cosign 2 verifies ${type}`, () => this.cosign2Verifies(bundle, cosign))
    if (found.python) await check(`sigstore-python verifies ${type}`, () => this.pythonVerifies(bundle))
    if (sbom) await check(`touchmark sbom get, ${type}`, () => this.touchmarkGets(bundle, type, from, true))
  }

  async cosigns({ type, cosign = type, sbom, predicate }) {
    const from = this.write(
      `${type}.predicate`,
      typeof predicate === 'string' ? predicate : `${JSON.stringify(predicate, undefined, 2)}\n`,
    )
    for (const [name, program, extra] of [
      ['cosign 3', this.found.cosign, []],
      ['cosign 2', this.found.cosign2, ['--new-bundle-format']],
    ]) {
      if (program === undefined) continue
      const bundle = this.path(`${name}-${type}.json`)
      const about = ['--predicate', from, '--type', cosign, '--bundle', bundle]
      const attested = await this.check(`${name} attest-blob, ${type}`, () =>
        this.run(program, 'attest-blob', '-y', ...extra, ...this.trust, ...about, this.file),
      )
      if (!attested) continue
      await this.check(`touchmark verifies ${type} by ${name}`, () => this.touchmarkVerifies(bundle, type))
      if (sbom)
        await this.check(`touchmark sbom get, ${type} by ${name}`, () => this.touchmarkGets(bundle, type, from, false))
    }
  }

  async javascripts({ type, predicate }) {
    const digest = { sha256: createHash('sha256').update(readFileSync(this.file)).digest('hex') }
    const wrapped = typeof predicate === 'string' ? { Data: predicate, Timestamp: '2026-01-01T00:00:00Z' } : predicate
    const statement = {
      _type: STATEMENT,
      subject: [{ name: 'artifact.txt', digest }],
      predicateType: URI[type] ?? type,
      predicate: wrapped,
    }
    const bundle = this.path(`js-${type}.json`)
    const attested = await this.check(`sigstore-js attests ${type}`, async () =>
      writeFileSync(
        bundle,
        await js.sign(this.stack, this.token, Buffer.from(JSON.stringify(statement)), 'application/vnd.in-toto+json'),
      ),
    )
    if (attested)
      await this.check(`touchmark verifies ${type} by sigstore-js`, () => this.touchmarkVerifies(bundle, type))
  }

  async pythons({ type }) {
    const bundle = this.path(`python-${type}.json`)
    const about = ['--predicate', this.path(`${type}.predicate`), '--predicate-type', URI[type], '--bundle', bundle]
    const attested = await this.check(`sigstore-python attests ${type}`, () =>
      this.run(
        this.found.python,
        '--trust-config',
        this.stack.trust,
        'attest',
        '--identity-token',
        this.token,
        ...about,
        this.file,
      ),
    )
    if (attested)
      await this.check(`touchmark verifies ${type} by sigstore-python`, () => this.touchmarkVerifies(bundle, type))
  }

  /** `syft attest` hands Syft JSON to cosign as `custom`. */
  async syftInCustom() {
    const { cosign } = this.found
    const bundle = this.path('syft-in-custom.json')
    const from = this.write('syft-in-custom.predicate', syft)
    const about = ['--predicate', from, '--type', 'custom', '--bundle', bundle]
    const attested = await this.check('cosign 3 attest-blob, Syft JSON in custom', () =>
      this.run(cosign, 'attest-blob', '-y', ...this.trust, ...about, this.file),
    )
    if (attested)
      await this.check('touchmark sbom get, Syft JSON in custom', () =>
        this.touchmarkGets(bundle, 'syftjson', from, true),
      )
  }

  /** A whole statement, signed by us as it is. */
  async statement() {
    const digest = { sha256: createHash('sha256').update(readFileSync(this.file)).digest('hex') }
    const { predicate } = TYPES.find(({ type }) => type === 'slsaprovenance1')
    const subject = [{ name: 'artifact.txt', digest }]
    const text = `${JSON.stringify({ predicateType: URI.slsaprovenance1, predicate, subject, _type: STATEMENT }, undefined, 2)}\n`
    const bundle = this.path('statement.json')
    const about = ['--statement', this.write('statement.txt', text), '--bundle', bundle]
    const attested = await this.check('touchmark attest --statement', async () => {
      await this.stack.touchmark('attest', ...about, '--identity-token', this.token)
      const { payload } = JSON.parse(readFileSync(bundle, 'utf8')).dsseEnvelope
      wants(Buffer.from(payload, 'base64').toString() === text, 'other bytes were signed')
    })
    if (!attested) return
    if (this.found.cosign)
      await this.check('cosign 3 verifies it', () => this.cosignVerifies(bundle, 'slsaprovenance1'))
    if (this.found.python) await this.check('sigstore-python verifies it', () => this.pythonVerifies(bundle))
  }
}

/** Runs everything that the clients that are there can do. */
export async function testAttestations({ stack, found, token, file, folder, report }) {
  console.log('\nattestations')
  const check = checker(report)
  const all = new Attestations({ stack, found, token, file, folder, check })
  for (const one of TYPES) {
    await all.ours(one)
    await all.cosigns(one)
    await all.javascripts(one)
    // sigstore-python makes provenance only.
    if (found.python && one.type.startsWith('slsaprovenance')) await all.pythons(one)
  }
  if (found.cosign) await all.syftInCustom()
  await all.statement()
}
