import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { PREDICATE_TYPES } from '../statement.js'
import { EXAMPLES, syftCyclonedx, syftSpdx, trivyCyclonedx, trivySpdx } from '../testing/documents.js'
import { checkSchema } from './check-schema.js'
import { CYCLONEDX_VERSIONS } from './cyclonedx-schema.js'

const CYCLONEDX = PREDICATE_TYPES['cyclonedx']!
const check = (alias: string, value: unknown): Promise<string | undefined> =>
  checkSchema(PREDICATE_TYPES[alias]!, value as JsonValue)
const refused = async (alias: string, value: unknown): Promise<unknown> => {
  const error = await check(alias, value).then(
    () => undefined,
    (one: unknown) => one,
  )
  if (!isCodedError(error)) throw new Error(`not refused: ${JSON.stringify(value).slice(0, 200)}`)
  return { code: error.code, ...error.details }
}
/** A copy in which one place has another value; undefined removes it. */
const changed = (document: unknown, path: readonly (string | number)[], value: unknown): unknown => {
  const copy = structuredClone(document) as Record<string | number, unknown>
  let at = copy
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  if (value === undefined) delete at[path.at(-1)!]
  else at[path.at(-1)!] = value
  return copy
}

describe('checkSchema', () => {
  it.each(Object.keys(EXAMPLES))('accepts a document of type %s', async (alias) => {
    expect(await check(alias, EXAMPLES[alias])).toEqual(expect.any(String))
  })

  it.each([['Syft', syftSpdx] as const, ['Trivy', trivySpdx] as const])(
    'accepts SPDX by %s',
    async (_name, document) => {
      await check('spdxjson', document)
      await checkSchema('https://spdx.dev/Document/v2.3', document as JsonValue)
    },
  )

  it.each([...CYCLONEDX_VERSIONS])(
    'accepts CycloneDX %s, and refuses what its schema does not have',
    async (version) => {
      expect(await check('cyclonedx', syftCyclonedx(version))).toBe(`CycloneDX ${version}`)
      expect(
        await refused('cyclonedx', changed(syftCyclonedx(version), ['components', 0, 'type'], 'librarie')),
      ).toMatchObject({
        code: 'CLI_PREDICATE_INVALID',
        expected: expect.stringContaining('one of application'),
        found: 'at /components/0/type',
      })
    },
  )

  it('accepts CycloneDX by Trivy', async () => {
    expect(await check('cyclonedx', trivyCyclonedx)).toBe('CycloneDX 1.6')
  })

  // Each of them dies when its line of the schema is taken away.
  it.each<[string, (string | number)[], unknown]>([
    ['slsaprovenance02', ['builder'], undefined],
    ['slsaprovenance02', ['builder', 'id'], 'no uri'],
    ['slsaprovenance02', ['buildType'], undefined],
    ['slsaprovenance02', ['invocation', 'configSource', 'digest'], { sha256: 5 }],
    ['slsaprovenance02', ['invocation', 'configSource', 'entryPoint'], 5],
    ['slsaprovenance02', ['metadata', 'buildStartedOn'], 'yesterday'],
    ['slsaprovenance02', ['metadata', 'reproducible'], 'no'],
    ['slsaprovenance02', ['metadata', 'completeness', 'materials'], 'no'],
    ['slsaprovenance02', ['materials'], {}],
    ['slsaprovenance1', ['buildDefinition'], undefined],
    ['slsaprovenance1', ['buildDefinition', 'buildType'], undefined],
    ['slsaprovenance1', ['buildDefinition', 'externalParameters'], undefined],
    ['slsaprovenance1', ['buildDefinition', 'externalParameters'], []],
    ['slsaprovenance1', ['buildDefinition', 'internalParameters'], 'x'],
    ['slsaprovenance1', ['buildDefinition', 'resolvedDependencies', 0], { name: 'only' }],
    ['slsaprovenance1', ['runDetails'], undefined],
    ['slsaprovenance1', ['runDetails', 'builder'], undefined],
    ['slsaprovenance1', ['runDetails', 'builder', 'id'], ''],
    ['slsaprovenance1', ['runDetails', 'metadata', 'startedOn'], 5],
    ['link', ['_type'], undefined],
    ['link', ['_type'], 'layout'],
    ['link', ['name'], undefined],
    ['link', ['command'], 'make'],
    ['link', ['materials'], undefined],
    ['link', ['products', 'app'], 'digest'],
    ['link', ['byproducts'], undefined],
    ['link', ['environment'], []],
    ['vuln', ['scanner'], undefined],
    ['vuln', ['scanner', 'uri'], undefined],
    ['vuln', ['scanner', 'result'], undefined],
    ['vuln', ['scanner', 'db', 'version'], 5],
    ['vuln', ['invocation', 'builder.id'], 5],
    ['vuln', ['metadata'], undefined],
    ['vuln', ['metadata', 'scanStartedOn'], undefined],
    ['vuln', ['metadata', 'scanFinishedOn'], '2026-13-01T00:00:00Z'],
    ['openvex', ['@context'], 'https://example.org/'],
    ['openvex', ['@id'], undefined],
    ['openvex', ['author'], undefined],
    ['openvex', ['timestamp'], '2026'],
    ['openvex', ['version'], 0],
    ['openvex', ['statements'], []],
    ['openvex', ['statements', 0, 'status'], 'fine'],
    ['openvex', ['statements', 0, 'vulnerability'], {}],
    ['openvex', ['statements', 0, 'justification'], 'because'],
    ['openvex', ['statements', 0, 'justification'], undefined],
    ['openvex', ['statements', 1, 'action_statement'], undefined],
    ['openvex', ['statements', 0, 'products'], [5]],
    ['spdxjson', ['spdxVersion'], 'SPDX-3.0'],
    ['spdxjson', ['dataLicense'], undefined],
    ['spdxjson', ['SPDXID'], 'SPDXRef-Other'],
    ['spdxjson', ['name'], undefined],
    ['spdxjson', ['documentNamespace'], 'https://example.org/#a'],
    ['spdxjson', ['documentNamespace'], undefined],
    ['spdxjson', ['creationInfo'], undefined],
    ['spdxjson', ['creationInfo', 'creators'], []],
    ['spdxjson', ['creationInfo', 'created'], '2026-03-01T08:30:00+01:00'],
    ['spdxjson', ['packages', 0, 'SPDXID'], 'left pad'],
    ['spdxjson', ['packages', 0, 'name'], undefined],
    ['spdxjson', ['packages', 0, 'downloadLocation'], undefined],
    ['spdxjson', ['packages', 0, 'filesAnalyzed'], 'false'],
    ['spdxjson', ['packages', 0, 'externalRefs', 0, 'referenceLocator'], undefined],
    ['spdxjson', ['files', 0, 'checksums'], undefined],
    ['spdxjson', ['files', 0, 'checksums', 0, 'checksumValue'], 'xyz'],
    ['spdxjson', ['relationships', 0, 'relationshipType'], undefined],
    ['spdx3json', ['@context'], 'https://example.org/'],
    ['spdx3json', ['@graph'], []],
    ['spdx3json', ['@graph', 0, 'type'], undefined],
    ['syftjson', ['artifacts'], undefined],
    ['syftjson', ['artifacts', 0, 'id'], undefined],
    ['syftjson', ['artifacts', 0, 'version'], 1],
    ['syftjson', ['artifactRelationships', 0, 'type'], undefined],
    ['syftjson', ['source'], undefined],
    ['syftjson', ['descriptor', 'version'], undefined],
    ['syftjson', ['schema', 'url'], undefined],
  ])('refuses %s with another %j: %j', async (alias, path, value) => {
    const { code, found } = (await refused(alias, changed(EXAMPLES[alias], path, value))) as {
      code: string
      found: string
    }
    expect(code).toBe('CLI_PREDICATE_INVALID')
    expect(found).toMatch(/^at /)
  })

  it('takes members that are null for members that are not there, as SLSA wants', async () => {
    await check('slsaprovenance1', changed(EXAMPLES['slsaprovenance1'], ['runDetails', 'metadata'], null))
    await check('slsaprovenance02', changed(EXAMPLES['slsaprovenance02'], ['materials'], null))
  })

  it('ignores members that in-toto does not name', async () => {
    for (const alias of ['slsaprovenance02', 'slsaprovenance1', 'vuln', 'link'])
      await check(alias, { ...EXAMPLES[alias], 'https://example.org/more': 1 })
  })

  it.each([undefined, 1.6, '1.1', '9.9', '../bom-1.6', '__proto__'])(
    'refuses CycloneDX of version %j',
    async (specVersion) => {
      expect(await refused('cyclonedx', { bomFormat: 'CycloneDX', specVersion })).toMatchObject({
        expected: expect.stringContaining('1.2, 1.3, 1.4, 1.5, 1.6, 1.7'),
      })
    },
  )

  it('has nothing to say of a type without a schema', async () => {
    expect(await checkSchema('https://example.org/x', { a: 1 })).toBeUndefined()
  })

  it('asks nobody for a schema', async () => {
    const asked = jest.spyOn(globalThis, 'fetch')
    await check('cyclonedx', syftCyclonedx('1.7'))
    expect(asked).not.toHaveBeenCalled()
    asked.mockRestore()
  })

  it('refuses two components that are the same, and takes many that differ', async () => {
    const document = syftCyclonedx()
    const [component] = document['components'] as object[]
    expect(await refused('cyclonedx', { ...document, components: [component, component] })).toMatchObject({
      found: 'at /components',
    })
    const many = Array.from({ length: 20_000 }, (_, i) => ({ type: 'library', name: `n${i}`, version: '1' }))
    await check('cyclonedx', { ...document, components: many })
  })

  it('takes or refuses any JSON, with a code', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(EXAMPLES)),
        fc.string(),
        fc.jsonValue(),
        async (alias, name, value) => {
          const names = Object.keys(EXAMPLES[alias]!)
          const member = names[name.length % names.length]!
          await check(alias, { ...EXAMPLES[alias], [member]: value }).catch((error: unknown) => {
            if (!isCodedError(error)) throw error
          })
        },
      ),
      { numRuns: 40 },
    )
  })

  it.each(['a'.repeat(1_000_000), `${'a.'.repeat(300_000)}@`, `https://${'%20'.repeat(300_000)}`, '1'.repeat(500_000)])(
    'ends on a long text',
    async (text) => {
      const document = syftCyclonedx()
      for (const [path, value] of [
        [['metadata', 'timestamp'], text],
        [['metadata', 'authors'], [{ email: text }]],
        [['components', 0, 'externalReferences'], [{ type: 'website', url: text }]],
      ] as const)
        await checkSchema(CYCLONEDX, changed(document, path, value) as JsonValue).catch((error: unknown) => {
          if (!isCodedError(error)) throw error
        })
    },
  )
})
