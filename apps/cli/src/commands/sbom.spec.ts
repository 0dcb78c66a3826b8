import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { testToken } from '../../../../libs/sign/src/testing/services.js'
import type { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { testContext, type TestContext } from '../testing/context.js'
import { EXAMPLES, provenance1, syftJson, TAG_VALUE } from '../testing/documents.js'
import { INSTANCE_URL, ISSUER_URL, ServedInstance } from '../testing/instance.js'
import { attestCommand, type AttestOptions } from './attest.js'
import { sbomGetCommand, sbomShowCommand, type SbomOptions } from './sbom.js'

let instance: TestInstance
let served: ServedInstance
let context: TestContext
let file: string

beforeAll(async () => {
  instance = (await ServedInstance.create()).instance
})
beforeEach(async () => {
  served = new ServedInstance(instance)
  context = await testContext({ fetch: (url, init) => served.fetch(url, init) })
  process.exitCode = 0
  file = write('app.tar', 'content')
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

const WHO = { instance: INSTANCE_URL, certificateIdentity: 'dev@example.com', certificateOidcIssuer: ISSUER_URL }
const write = (name: string, content: string): string => {
  const path = join(context.folder, name)
  writeFileSync(path, content)
  return path
}
const attest = async (options: Partial<AttestOptions>): Promise<void> => {
  await attestCommand(context, [file], { instance: INSTANCE_URL, identityToken: testToken(), ...options })
  expect(process.exitCode).toBe(0)
  context.said.out = ''
  context.said.err = ''
}
const get = (options: Partial<SbomOptions> = {}, toTerminal = false): Promise<void> =>
  sbomGetCommand(context, [file], { ...WHO, ...options }, toTerminal)
const show = (options: Partial<SbomOptions> = {}): Promise<void> =>
  sbomShowCommand(context, [file], { ...WHO, ...options })
const pretty = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\r\n`
/** A statement whose predicate is anything, as other clients may have made it. */
const attestStatement = async (
  predicateType: string,
  predicate: unknown,
  more: Partial<AttestOptions> = {},
): Promise<void> => {
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
  const statement = {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: [{ name: 'x', digest: { sha256 } }],
    predicate,
  }
  await attest({ statement: write('s.json', JSON.stringify(statement)), schema: false, ...more })
}

describe('touchmark sbom get', () => {
  it.each(['spdxjson', 'spdx3json', 'cyclonedx', 'syftjson'])(
    'prints an SBOM of type %s byte for byte',
    async (type) => {
      const sbom = pretty(EXAMPLES[type])
      await attest({ sbom: write('sbom.json', sbom) })
      await get()
      expect(context.said.out).toBe(sbom)
      expect(context.said.err).toContain('signed by')
      context.said.out = ''
      await get({ type })
      expect(context.said.out).toBe(sbom)
    },
  )

  it('writes it to a file, which it does not replace unasked', async () => {
    const sbom = pretty(EXAMPLES['cyclonedx'])
    await attest({ sbom: write('sbom.json', sbom) })
    const output = join(context.folder, 'out.json')
    await get({ output })
    expect(readFileSync(output, 'utf8')).toBe(sbom)
    expect(context.said.out).toContain('attested        CycloneDX 1.6 JSON (https://cyclonedx.org/bom)')
    writeFileSync(output, 'mine')
    await expect(get({ output })).rejects.toThrowCode('CLI_FILE_EXISTS')
    expect(readFileSync(output, 'utf8')).toBe('mine')
    await get({ output, overwrite: true })
    expect(readFileSync(output, 'utf8')).toBe(sbom)
  })

  it('wraps it in one document with --json', async () => {
    const sbom = pretty(EXAMPLES['spdxjson'])
    await attest({ sbom: write('sbom.json', sbom) })
    await sbomGetCommand({ ...context, json: true }, [file], WHO)
    expect(JSON.parse(context.said.out)).toEqual({
      verified: true,
      file,
      bundle: `${file}.att.sigstore.json`,
      signer: { identity: 'dev@example.com', issuer: ISSUER_URL },
      predicateType: 'https://spdx.dev/Document',
      format: 'SPDX 2.3 JSON',
      sha256: createHash('sha256').update(sbom).digest('hex'),
      sbom,
    })
  })

  it.each<[string, () => Promise<Partial<SbomOptions>>, string]>([
    ['another signer', () => Promise.resolve({ certificateIdentity: 'eve@example.com' }), 'POLICY_IDENTITY_MISMATCH'],
    ['nobody named', () => Promise.resolve({ certificateIdentity: undefined } as never), 'CLI_USAGE'],
    [
      'a file that was changed',
      () => {
        writeFileSync(file, 'changed')
        return Promise.resolve({})
      },
      'VERIFY_SUBJECT_MISMATCH',
    ],
    [
      'an attestation that was changed',
      () => {
        const bundle = `${file}.att.sigstore.json`
        const text = readFileSync(bundle, 'utf8')
        const { payload } = (JSON.parse(text) as { dsseEnvelope: { payload: string } }).dsseEnvelope
        const other = Buffer.from(Buffer.from(payload, 'base64').toString().replace('left-pad', 'right-ad')).toString(
          'base64',
        )
        writeFileSync(bundle, text.replace(payload, other))
        return Promise.resolve({})
      },
      'VERIFY_SIGNATURE_INVALID',
    ],
    ['another type', () => Promise.resolve({ type: 'spdxjson' }), 'POLICY_PREDICATE_TYPE_MISMATCH'],
    ['a type of no SBOM', () => Promise.resolve({ type: 'slsaprovenance1' }), 'CLI_USAGE'],
    ['a type that nobody knows', () => Promise.resolve({ type: 'nonsense' }), 'CLI_USAGE'],
    ['no bundle', () => Promise.resolve({ bundle: 'none' }), 'CLI_BUNDLE_MISSING'],
  ])('prints and writes nothing with %s', async (_name, change, code) => {
    await attest({ sbom: write('sbom.json', pretty(EXAMPLES['cyclonedx'])) })
    const output = join(context.folder, 'out.json')
    const options = await change()
    await expect(get({ ...options, output })).rejects.toThrowCode(code)
    await expect(get(options)).rejects.toThrowCode(code)
    await expect(show(options)).rejects.toThrowCode(code)
    expect([context.said.out, existsSync(output)]).toEqual(['', false])
  })

  it('finds it among other attestations, and does not choose between two', async () => {
    const one = pretty(EXAMPLES['cyclonedx'])
    await attest({ predicate: write('p.json', JSON.stringify(provenance1)), type: 'slsaprovenance1' })
    await expect(get()).rejects.toThrowCode('POLICY_PREDICATE_TYPE_MISMATCH')
    await attest({ sbom: write('1.json', one), bundle: `${file}.cyclonedx.att.sigstore.json` })
    await get()
    expect(context.said.out).toBe(one)
    await attest({ sbom: write('2.json', pretty(EXAMPLES['spdxjson'])), bundle: `${file}.spdx.att.sigstore.json` })
    await expect(get()).rejects.toMatchObject({
      code: 'CLI_USAGE',
      details: { found: expect.stringMatching(/CycloneDX 1\.6 JSON in .*cyclonedx.*SPDX 2\.3 JSON in .*spdx/) },
    })
    expect(context.said.out).toBe('')
    await get({ type: 'cyclonedx' })
    expect(context.said.out).toBe(one)
    context.said.out = ''
    await get({ bundle: `${file}.spdx.att.sigstore.json` })
    expect(context.said.out).toBe(pretty(EXAMPLES['spdxjson']))
  })

  it('takes the versioned predicate types of in-toto', async () => {
    await attestStatement('https://spdx.dev/Document/v2.3', EXAMPLES['spdxjson'])
    await get({ type: 'spdxjson' })
    expect(JSON.parse(context.said.out)).toEqual(EXAMPLES['spdxjson'])
  })

  it('unwraps the Syft JSON that `syft attest` puts into custom', async () => {
    const text = pretty(syftJson)
    await attest({ predicate: write('p.json', text), type: 'custom' })
    await get({ type: 'syftjson' })
    expect(context.said.out).toBe(text)
    await expect(get({ type: 'spdxjson' })).rejects.toThrowCode('CLI_SBOM_MISSING')
  })

  it.each<[string, string, unknown]>([
    ['a custom text', 'https://cosign.sigstore.dev/attestation/v1', { Data: 'text', Timestamp: '' }],
    ['a custom predicate of another form', 'https://cosign.sigstore.dev/attestation/v1', { Data: 5 }],
    ['a list for an SBOM', 'https://spdx.dev/Document', []],
    ['null for an SBOM', 'https://spdx.dev/Document', null],
  ])('finds none in %s', async (_name, type, predicate) => {
    await attestStatement(type, predicate)
    await expect(get()).rejects.toThrowCode('CLI_SBOM_MISSING')
  })

  it('gives a text as text, yet no control characters to a terminal', async () => {
    await attestStatement('https://spdx.dev/Document', TAG_VALUE)
    await get({}, true)
    expect(context.said.out).toBe(TAG_VALUE)
    await expect(show()).rejects.toThrowCode('CLI_SBOM_MISSING')
    await attestStatement('https://spdx.dev/Document', `${TAG_VALUE}\u001b[2J`, { overwrite: true })
    await expect(get({}, true)).rejects.toThrowCode('CLI_USAGE')
    expect(context.said.out).toBe('')
    await get({}, false)
    expect(context.said.out).toContain('\u001b')
    // What comes behind a bare carriage return covers the line.
    await attestStatement('https://spdx.dev/Document', `${TAG_VALUE}hidden\rshown\n`, { overwrite: true })
    await expect(get({}, true)).rejects.toThrowCode('CLI_USAGE')
    await attestStatement('https://spdx.dev/Document', `${TAG_VALUE}line\r\n`, { overwrite: true })
    await expect(get({}, true)).resolves.toBeUndefined()
  })
})

describe('touchmark sbom show', () => {
  it('says what it is of, by what it was made and what it holds', async () => {
    await attest({ sbom: write('sbom.json', pretty(EXAMPLES['cyclonedx'])) })
    await show()
    expect(context.said.out).toBe(`verified ${file}
  signed by       dev@example.com
  vouched for by  ${ISSUER_URL}
  attested        CycloneDX 1.6 JSON (https://cyclonedx.org/bom)
  of              example/app 2.1.0
  made            2026-03-01T09:30:00+01:00
  with            syft 1.18.0
  components      4
  licence         MIT (1)
  licence         MIT OR Apache-2.0 (1)
  licence         Zlib-like (1)
  no licence      1
`)
    context.said.out = ''
    await sbomShowCommand({ ...context, json: true }, [file], WHO)
    expect(JSON.parse(context.said.out)).toMatchObject({
      verified: true,
      summary: { name: 'example/app', components: 4 },
    })
  })

  it('shows control characters of the document, and does not send them', async () => {
    await attest({
      sbom: write('sbom.json', JSON.stringify({ ...EXAMPLES['spdxjson'], name: 'a\u001b[2J', packages: [] })),
    })
    await show()
    expect(context.said.out).toContain('a\\u001b[2J')
    expect(context.said.out).not.toContain('\u001b')
  })
})
