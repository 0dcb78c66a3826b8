import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { JsonValue } from '@touchmark/encoding'
import { kindOfDocument, type DocumentKind } from '../attest/document-kind.js'
import { spdx3, syftCyclonedx, syftJson, syftSpdx, trivyCyclonedx, trivySpdx } from '../testing/documents.js'
import { MOST_LICENSES, summaryOf, type SbomSummary } from './summary.js'

const summary = (document: object): SbomSummary =>
  summaryOf(kindOfDocument(document as JsonValue)!, document as JsonValue)

describe('summaryOf', () => {
  it('reads CycloneDX, with components in components', () => {
    const expected: SbomSummary = {
      name: 'example/app',
      version: '2.1.0',
      created: '2026-03-01T09:30:00+01:00',
      tools: ['syft 1.18.0'],
      components: 4,
      licenses: [
        ['MIT', 1],
        ['MIT OR Apache-2.0', 1],
        ['Zlib-like', 1],
      ],
      withoutLicense: 1,
    }
    expect(summary(syftCyclonedx('1.6'))).toEqual(expected)
    expect(summary(syftCyclonedx('1.4'))).toEqual(expected)
    expect(summary(trivyCyclonedx)).toMatchObject({
      name: 'app',
      version: undefined,
      tools: ['trivy 0.58.1'],
      components: 0,
    })
  })

  it('reads SPDX', () => {
    expect(summary(syftSpdx)).toEqual({
      name: 'example/app',
      version: '2.1.0',
      created: '2026-03-01T08:30:00Z',
      tools: ['syft-1.18.0'],
      components: 2,
      licenses: [['WTFPL', 1]],
      withoutLicense: 1,
    })
    expect(summary(trivySpdx)).toMatchObject({ name: 'app', tools: ['trivy-0.58.1'], components: 1 })
    expect(
      summary({ ...syftSpdx, relationships: [], documentDescribes: ['SPDXRef-Package-npm-left-pad-1234'] }),
    ).toMatchObject({
      name: 'left-pad',
      version: '1.3.0',
    })
    const concluded = [
      { licenseConcluded: 'MIT', licenseDeclared: 'BSD' },
      { licenseConcluded: 'NONE', licenseDeclared: 'NONE' },
    ]
    expect(summary({ ...syftSpdx, packages: concluded })).toMatchObject({ licenses: [['MIT', 1]], withoutLicense: 1 })
    expect(summary(spdx3)).toMatchObject({
      name: 'example',
      tools: ['some-tool 1'],
      components: 1,
      created: '2026-03-01T08:30:00Z',
    })
  })

  it('reads Syft JSON, with licences as texts and as objects', () => {
    expect(summary(syftJson)).toEqual({
      name: 'example/app',
      version: 'sha256:00',
      created: undefined,
      tools: ['syft 1.18.0'],
      components: 2,
      licenses: [
        ['MIT', 1],
        ['WTFPL', 1],
      ],
      withoutLicense: 0,
    })
  })

  it('counts a licence once a component, and names the most frequent ones', () => {
    const component = (...ids: string[]): object => ({ licenses: ids.map((id) => ({ license: { id } })) })
    const components = [
      component('b', 'b'),
      component('b'),
      ...Array.from({ length: 20 }, (_, i) => component(`x${i}`)),
    ]
    const { licenses } = summary({ bomFormat: 'CycloneDX', specVersion: '1.6', components })
    expect(licenses).toHaveLength(MOST_LICENSES)
    expect(licenses[0]).toEqual(['b', 2])
  })

  it('walks deep nesting without recursion', () => {
    let components: JsonValue[] = []
    for (let i = 0; i < 50_000; i++) components = [{ components }]
    expect(summary({ bomFormat: 'CycloneDX', specVersion: '1.6', components }).components).toBe(50_000)
  })

  it('takes any document', () => {
    const formats = ['spdx-json', 'spdx3-json', 'cyclonedx-json', 'syft-json'] as const
    const names = [
      'components',
      'packages',
      'artifacts',
      '@graph',
      'metadata',
      'source',
      'creationInfo',
      'relationships',
      'licenses',
      'tools',
      'type',
      'name',
    ]
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
      ),
    })).value
    fc.assert(
      fc.property(fc.constantFrom(...formats), json, (format, document) => {
        const { components, licenses } = summaryOf({ format } as DocumentKind, document as JsonValue)
        expect(components).toBeGreaterThanOrEqual(licenses.length > 0 ? 1 : 0)
      }),
      { numRuns: 500 },
    )
  })
})
