import { createHash } from 'node:crypto'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { parseBundle, parseStatement } from '@touchmark/bundle'
import { utf8Decode } from '@touchmark/encoding'
import { testToken } from '../../../../libs/sign/src/testing/services.js'
import type { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { PREDICATE_TYPES } from '../statement.js'
import { NOW, testContext, type TestContext } from '../testing/context.js'
import { EXAMPLES, provenance1, syftSpdx, TAG_VALUE, trivyCyclonedx } from '../testing/documents.js'
import { INSTANCE_URL, ISSUER_URL, ServedInstance } from '../testing/instance.js'
import { attestCommand, type AttestOptions } from './attest.js'
import { verifyAttestationCommand } from './verify.js'

let instance: TestInstance
let served: ServedInstance
let context: TestContext
let options: AttestOptions

beforeAll(async () => {
  instance = (await ServedInstance.create()).instance
})
beforeEach(async () => {
  served = new ServedInstance(instance)
  context = await testContext({ fetch: (url, init) => served.fetch(url, init) })
  options = { instance: INSTANCE_URL, identityToken: testToken() }
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

const WHO = { instance: INSTANCE_URL, certificateIdentity: 'dev@example.com', certificateOidcIssuer: ISSUER_URL }
const write = (name: string, content: unknown): string => {
  const path = join(context.folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const payloadOf = (bundle: string): Uint8Array => {
  const { content } = parseBundle(readFileSync(bundle))
  if (content.kind !== 'dsse') throw new Error('no attestation')
  return content.envelope.payload
}
const attest = (paths: string[], more: Partial<AttestOptions>): Promise<void> =>
  attestCommand(context, paths, { ...options, ...more })
const statementAbout = (path: string, more: object = {}): object => ({
  _type: 'https://in-toto.io/Statement/v0.1',
  predicateType: PREDICATE_TYPES['slsaprovenance1'],
  subject: [
    { name: 'other', digest: { sha256: '00'.repeat(32) } },
    { name: 'x', digest: { sha256: sha256(path) } },
  ],
  predicate: provenance1,
  ...more,
})

describe('touchmark attest --predicate', () => {
  it.each(Object.keys(EXAMPLES))(
    'signs a predicate of type %s, byte for byte, which verifies as that',
    async (type) => {
      const a = write('a', 'content')
      const text = ` ${JSON.stringify(EXAMPLES[type], undefined, 2)}\n`
      await attest([a], { predicate: write('p.json', text), type })
      expect(utf8Decode(payloadOf(`${a}.att.sigstore.json`)).endsWith(`"predicate":${text}}`)).toBe(true)
      context.said.out = ''
      await verifyAttestationCommand(context, [a], { ...WHO, type })
      expect(process.exitCode).toBe(0)
    },
  )

  it('wraps any text of type custom as cosign does', async () => {
    const a = write('a', 'content')
    await attest([a], { predicate: write('p.txt', 'any "text"\n\u0001'), type: 'custom' })
    expect(parseStatement(payloadOf(`${a}.att.sigstore.json`))).toMatchObject({
      predicateType: 'https://cosign.sigstore.dev/attestation/v1',
      predicate: { Data: 'any "text"\n\u0001', Timestamp: NOW },
    })
  })

  it('takes any object of a type that it does not know', async () => {
    const a = write('a', 'content')
    await attest([a], { predicate: write('p.json', '{"n":1.0}'), type: 'https://example.org/x/v1' })
    expect(utf8Decode(payloadOf(`${a}.att.sigstore.json`))).toContain('"predicate":{"n":1.0}}')
  })

  it('tells the type by the document when none is given', async () => {
    const a = write('a', 'content')
    await attest([a], { predicate: write('p.json', EXAMPLES['openvex']) })
    expect(parseStatement(payloadOf(`${a}.att.sigstore.json`)).predicateType).toBe('https://openvex.dev/ns')
  })

  it.each<[string, string | object, Partial<AttestOptions>, string]>([
    ['no predicate', '', { predicate: undefined } as never, 'CLI_USAGE'],
    ['a type that nobody knows', '{}', { type: 'nonsense' }, 'CLI_USAGE'],
    ['a document that does not say its type', '{}', {}, 'CLI_USAGE'],
    ['no JSON', 'nothing', { type: 'vuln' }, 'CLI_PREDICATE_INVALID'],
    ['a list', '[]', { type: 'https://example.org/x' }, 'CLI_PREDICATE_INVALID'],
    ['a text', '"x"', { type: 'https://example.org/x' }, 'CLI_PREDICATE_INVALID'],
    ['null', 'null', { type: 'https://example.org/x' }, 'CLI_PREDICATE_INVALID'],
    ['a repeated member', '{"a":1,"a":2}', { type: 'https://example.org/x' }, 'CLI_PREDICATE_INVALID'],
    ['a byte order mark', '\ufeff{}', { type: 'https://example.org/x' }, 'CLI_PREDICATE_INVALID'],
    ['endless nesting', '{"a":'.repeat(10_000), { type: 'https://example.org/x' }, 'CLI_PREDICATE_INVALID'],
    ['what the schema does not have', { builder: {} }, { type: 'slsaprovenance1' }, 'CLI_PREDICATE_INVALID'],
    ['SPDX as CycloneDX', syftSpdx, { type: 'cyclonedx' }, 'CLI_PREDICATE_INVALID'],
    ['tag-value', TAG_VALUE, { type: 'spdx' }, 'CLI_PREDICATE_INVALID'],
    ['a statement', { _type: 'https://in-toto.io/Statement/v1' }, {}, 'CLI_PREDICATE_INVALID'],
    ['two kinds of input', '{}', { sbom: 'x' }, 'CLI_USAGE'],
    ['a name for two files', provenance1, { type: 'slsaprovenance1', name: 'x' }, 'CLI_USAGE'],
  ])('asks nobody when given %s', async (_name, content, more, code) => {
    const paths = [write('a', 'a'), write('b', 'b')]
    const predicate = write('p.json', content)
    await expect(attest(paths, { predicate, ...more })).rejects.toThrowCode(code)
    expect(served.visited).toEqual([])
    expect(existsSync(`${paths[0]}.att.sigstore.json`)).toBe(false)
  })

  it('says what is wrong where', async () => {
    const predicate = write('p.json', { ...provenance1, runDetails: { builder: {} } })
    await expect(attest([write('a', 'a')], { predicate, type: 'slsaprovenance1' })).rejects.toMatchObject({
      details: { found: 'at /runDetails/builder', hint: expect.stringContaining('--no-schema') },
    })
  })

  it('signs what fits no schema with --no-schema, and still wants JSON', async () => {
    const a = write('a', 'a')
    const predicate = write('p.json', '{"builder":{}}')
    await attest([a], { predicate, type: 'slsaprovenance1', schema: false })
    expect(process.exitCode).toBe(0)
    const other = { predicate: write('q.json', 'no'), type: 'slsaprovenance1', schema: false, overwrite: true }
    await expect(attest([a], other)).rejects.toThrowCode('CLI_PREDICATE_INVALID')
  })

  it('does not read a predicate that is too large', async () => {
    const predicate = write('p.json', '')
    truncateSync(predicate, (16 << 20) + 1)
    await expect(attest([write('a', 'a')], { predicate, type: 'vuln' })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    // A text of which JSON makes six times as much.
    writeFileSync(predicate, Buffer.alloc(5 << 20, 1))
    await expect(attest([write('a', 'a')], { predicate, type: 'custom' })).rejects.toThrowCode('CLI_PREDICATE_INVALID')
    writeFileSync(predicate, Buffer.from([0xff]))
    await expect(attest([write('a', 'a')], { predicate, type: 'custom' })).rejects.toThrowCode('CLI_PREDICATE_INVALID')
    expect(served.visited).toEqual([])
  })
})

describe('the subjects', () => {
  const PREDICATE = { type: 'slsaprovenance1' }

  it('are one a statement, or all of one with --bundle', async () => {
    const paths = [write('a', 'a'), write('b', 'b')]
    const predicate = write('p.json', provenance1)
    await attest(paths, { ...PREDICATE, predicate })
    const bundle = join(context.folder, 'all.json')
    await attest(paths, { ...PREDICATE, predicate, bundle })
    const names = (path: string): string[] => parseStatement(payloadOf(path)).subjects.map(({ name }) => name)
    expect([names(`${paths[0]}.att.sigstore.json`), names(`${paths[1]}.att.sigstore.json`)]).toEqual([['a'], ['b']])
    expect(names(bundle)).toEqual(['a', 'b'])
    context.said.err = ''
    for (const path of paths) await verifyAttestationCommand(context, [path], { ...WHO, ...PREDICATE, bundle })
    expect([process.exitCode, context.said.err]).toEqual([0, ''])
  })

  it('have distinct names in one statement', async () => {
    const { mkdirSync } = await import('node:fs')
    for (const folder of ['x', 'y']) mkdirSync(join(context.folder, folder))
    const paths = [write('x/a', '1'), write('y/a', '2')]
    const bundle = join(context.folder, 'all.json')
    await attest(paths, { ...PREDICATE, predicate: write('p.json', provenance1), bundle })
    expect(parseStatement(payloadOf(bundle)).subjects.map(({ name }) => name)).toEqual(paths)
  })

  it('may be a digest with a name', async () => {
    const a = write('a', 'a')
    const bundle = join(context.folder, 'out.json')
    const predicate = write('p.json', provenance1)
    await attest([`sha256:${sha256(a)}`], { ...PREDICATE, predicate, bundle, name: 'app 1.0' })
    expect(parseStatement(payloadOf(bundle)).subjects[0]).toMatchObject({ name: 'app 1.0' })
    await verifyAttestationCommand(context, [a], { ...WHO, ...PREDICATE, bundle })
    expect(process.exitCode).toBe(0)
    for (const more of [{ bundle: 'x' }, { name: 'x' }, { bundle: 'x', name: 'x', type: 'x' }])
      await expect(attest([`sha256:${sha256(a)}`], { ...PREDICATE, predicate, ...more })).rejects.toThrowCode(
        'CLI_USAGE',
      )
    for (const digest of ['sha1:00', 'sha256:00', `sha384:${'0'.repeat(64)}`])
      await expect(attest([digest], { ...PREDICATE, predicate, bundle: 'x', name: 'x' })).rejects.toThrowCode(
        'CLI_USAGE',
      )
  })

  it('are refused when there are none, one is missing or named twice', async () => {
    const a = write('a', 'a')
    const predicate = write('p.json', provenance1)
    await expect(attest([], { ...PREDICATE, predicate })).rejects.toThrowCode('CLI_USAGE')
    await expect(attest([a, a], { ...PREDICATE, predicate })).rejects.toThrowCode('CLI_USAGE')
    const many = Array.from({ length: 4097 }, (_, i) => `${a}${i}`)
    await expect(attest(many, { ...PREDICATE, predicate, bundle: 'x' })).rejects.toThrowCode('CLI_USAGE')
    await expect(attest([`${a}.none`], { ...PREDICATE, predicate })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    await expect(attest([context.folder], { ...PREDICATE, predicate })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    expect(served.visited).toEqual([])
  })

  it('keep their statement with --resume when it is the same, and only then', async () => {
    const a = write('a', 'a')
    const bundle = `${a}.att.sigstore.json`
    const run = async (more: Partial<AttestOptions>): Promise<boolean> => {
      const before = existsSync(bundle) ? readFileSync(bundle, 'utf8') : undefined
      await attest([a], { resume: true, ...more })
      return readFileSync(bundle, 'utf8') === before
    }
    const predicate = write('p.json', provenance1)
    expect(await run({ ...PREDICATE, predicate })).toBe(false)
    expect(await run({ ...PREDICATE, predicate })).toBe(true)
    expect(await run({ type: 'https://example.org/x', predicate })).toBe(false)
    expect(await run({ type: 'custom', predicate })).toBe(false)
    context.clock.advance(5000)
    expect(await run({ type: 'custom', predicate })).toBe(true)
    expect(await run({ type: 'custom', predicate: write('q.json', 'other') })).toBe(false)
    await expect(attest([a], { type: 'custom', predicate })).rejects.toThrowCode('CLI_FILE_EXISTS')
  })
})

describe('touchmark attest --sbom', () => {
  it.each(['spdxjson', 'spdx3json', 'cyclonedx', 'syftjson'])('recognises %s', async (type) => {
    const a = write('a', 'a')
    await attest([a], { sbom: write('sbom', EXAMPLES[type]) })
    expect(parseStatement(payloadOf(`${a}.att.sigstore.json`)).predicateType).toBe(PREDICATE_TYPES[type])
  })

  it.each<[string, string | object, Partial<AttestOptions>, RegExp]>([
    ['a type as well', syftSpdx, { type: 'spdxjson' }, /--sbom tells the type/],
    ['tag-value', TAG_VALUE, {}, /SPDX tag-value/],
    ['XML', '<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>', {}, /CycloneDX XML/],
    ['OpenVEX', EXAMPLES['openvex']!, {}, /no SBOM/],
    ["Trivy's report", { SchemaVersion: 2, Results: [] }, {}, /Trivy's own report/],
    ['something else', {}, {}, /no SBOM/],
    ['what does not fit its schema', { ...trivyCyclonedx, version: 'x' }, {}, /schema of CycloneDX 1.6/],
  ])('refuses %s', async (_name, content, more, message) => {
    await expect(attest([write('a', 'a')], { sbom: write('sbom', content), ...more })).rejects.toThrow(message)
    expect(served.visited).toEqual([])
  })
})

describe('touchmark attest --statement', () => {
  it('signs the bytes as they are, whatever their order, space and version', async () => {
    const a = write('a', 'a')
    const text = `\n${JSON.stringify(statementAbout(a), undefined, 3)}\n\n`
    await attest([a], { statement: write('s.json', text) })
    expect(utf8Decode(payloadOf(`${a}.att.sigstore.json`))).toBe(text)
    await verifyAttestationCommand(context, [a], { ...WHO, type: 'slsaprovenance1' })
    expect(process.exitCode).toBe(0)
  })

  it('needs no file with --bundle, and takes digests', async () => {
    const a = write('a', 'a')
    const statement = write('s.json', statementAbout(a))
    const bundle = join(context.folder, 'out.json')
    await attest([], { statement, bundle })
    await attest([`sha256:${sha256(a)}`], { statement, bundle, overwrite: true })
    await verifyAttestationCommand(context, [a], { ...WHO, bundle })
    expect(process.exitCode).toBe(0)
    await expect(attest([`sha256:${'11'.repeat(32)}`], { statement, bundle, overwrite: true })).rejects.toThrowCode(
      'CLI_STATEMENT_INVALID',
    )
  })

  it.each<[string, (a: string) => unknown, Partial<AttestOptions>, string]>([
    [
      'about another file',
      (a) => statementAbout(a, { subject: [{ name: 'a', digest: { sha256: '00'.repeat(32) } }] }),
      {},
      'CLI_STATEMENT_INVALID',
    ],
    [
      'with one right and one wrong digest',
      (a) => statementAbout(a, { subject: [{ name: 'a', digest: { sha256: sha256(a), sha512: '00'.repeat(64) } }] }),
      {},
      'CLI_STATEMENT_INVALID',
    ],
    [
      'with no digest that is known',
      (a) => statementAbout(a, { subject: [{ name: 'a', digest: { md5: '00' } }] }),
      {},
      'CLI_STATEMENT_INVALID',
    ],
    [
      'of another version',
      (a) => statementAbout(a, { _type: 'https://in-toto.io/Statement/v2' }),
      {},
      'CLI_STATEMENT_INVALID',
    ],
    ['without subjects', (a) => statementAbout(a, { subject: [] }), {}, 'CLI_STATEMENT_INVALID'],
    ['that is no JSON', () => 'x', {}, 'CLI_STATEMENT_INVALID'],
    [
      'with a member twice',
      (a) => JSON.stringify(statementAbout(a)).replace('{', '{"predicate":{},'),
      {},
      'CLI_STATEMENT_INVALID',
    ],
    ['whose predicate does not fit', (a) => statementAbout(a, { predicate: {} }), {}, 'CLI_PREDICATE_INVALID'],
    ['with a predicate beside it', (a) => statementAbout(a), { predicate: 'x' }, 'CLI_USAGE'],
    ['with a type beside it', (a) => statementAbout(a), { type: 'vuln' }, 'CLI_USAGE'],
  ])('refuses one %s', async (_name, make, more, code) => {
    const a = write('a', 'a')
    await expect(attest([a], { statement: write('s.json', make(a)), ...more })).rejects.toThrowCode(code)
    expect(served.visited).toEqual([])
  })

  it('does not read one that is too large', async () => {
    const statement = write('s.json', '')
    truncateSync(statement, (23 << 20) + 1)
    await expect(attest([write('a', 'a')], { statement })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('compares every digest that it can compute', async () => {
    const a = write('a', 'a')
    const sha512 = createHash('sha512').update('a').digest('hex')
    const subject = [{ name: 'a', digest: { sha512, gitCommit: 'ab' } }]
    await attest([a], { statement: write('s.json', statementAbout(a, { subject })) })
    await verifyAttestationCommand(context, [a], WHO)
    expect(process.exitCode).toBe(0)
  })

  it('signs a predicate that does not fit with --no-schema', async () => {
    const a = write('a', 'a')
    await attest([a], { statement: write('s.json', statementAbout(a, { predicate: {} })), schema: false })
    expect(process.exitCode).toBe(0)
  })

  it('wants to know where the one bundle of several files goes', async () => {
    const paths = [write('a', 'a'), write('b', 'a')]
    const statement = write('s.json', statementAbout(paths[0]!))
    await expect(attest(paths, { statement })).rejects.toThrowCode('CLI_USAGE')
    await expect(attest([], { statement })).rejects.toThrowCode('CLI_USAGE')
    await attest(paths, { statement, bundle: join(context.folder, 'all.json') })
    expect(process.exitCode).toBe(0)
  })
})
