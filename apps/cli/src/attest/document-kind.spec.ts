import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8Encode, type JsonValue } from '@touchmark/encoding'
import {
  openvexDocument,
  spdx3,
  syftCyclonedx,
  syftJson,
  syftSpdx,
  TAG_VALUE,
  trivyCyclonedx,
  trivySpdx,
  vulnScan,
} from '../testing/documents.js'
import { jsonOrNothing, kindOfDocument, otherFormOf, otherJsonOf } from './document-kind.js'

describe('kindOfDocument', () => {
  it.each<[string, unknown, string, string, boolean]>([
    ['CycloneDX by Syft', syftCyclonedx('1.5'), 'CycloneDX 1.5 JSON', 'https://cyclonedx.org/bom', true],
    ['CycloneDX by Trivy', trivyCyclonedx, 'CycloneDX 1.6 JSON', 'https://cyclonedx.org/bom', true],
    ['SPDX by Syft', syftSpdx, 'SPDX 2.3 JSON', 'https://spdx.dev/Document', true],
    ['SPDX by Trivy', trivySpdx, 'SPDX 2.3 JSON', 'https://spdx.dev/Document', true],
    ['SPDX 3', spdx3, 'SPDX 3.0.1 JSON-LD', 'https://spdx.dev/Document/v3', true],
    ['Syft JSON', syftJson, 'Syft JSON 16.0.18', 'https://syft.dev/bom', true],
    ['OpenVEX', openvexDocument, 'OpenVEX 0.2.0', 'https://openvex.dev/ns', false],
  ])('recognises %s', (_name, document, name, predicateType, sbom) => {
    expect(kindOfDocument(document as JsonValue)).toMatchObject({ name, predicateType, sbom })
  })

  it('does not need the address of the schema to recognise Syft JSON, nor its program', () => {
    const { schema, descriptor, ...rest } = syftJson
    expect(kindOfDocument({ ...rest, schema: { version: '1' }, descriptor } as JsonValue)?.format).toBe('syft-json')
    expect(kindOfDocument({ ...rest, schema } as JsonValue)?.format).toBe('syft-json')
    expect(kindOfDocument({ ...rest, schema: { version: '1' } } as JsonValue)).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', [syftSpdx]],
    ['a text', 'CycloneDX'],
    ['an empty object', {}],
    ['another BOM', { bomFormat: 'Other', specVersion: '1' }],
    ['SPDX in name only', { spdxVersion: '2.3' }],
    ['JSON-LD of something else', { '@context': 'https://example.org/', '@graph': [] }],
    ['SPDX 3 without a graph', { '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld' }],
    ['a neighbour of OpenVEX', { '@context': 'https://openvex.dev/nsx' }],
    ['a scan', vulnScan],
  ])('recognises nothing in %s', (_name, document) => {
    expect(kindOfDocument(document as JsonValue | undefined)).toBeUndefined()
  })

  it('shows no version that is none', () => {
    expect(kindOfDocument({ bomFormat: 'CycloneDX', specVersion: '\u001b[2J' })?.name).toBe('CycloneDX ? JSON')
    expect(kindOfDocument({ bomFormat: 'CycloneDX', specVersion: 1.4 })?.name).toBe('CycloneDX ? JSON')
  })

  it('takes any JSON', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'bomFormat',
            'spdxVersion',
            '@context',
            '@graph',
            'schema',
            'artifacts',
            'descriptor',
            '_type',
            'sbom',
          ),
          fc.oneof(
            fc.jsonValue(),
            fc.constantFrom('CycloneDX', 'SPDX-2.3', 'https://openvex.dev/ns/', 'https://openvex.dev/ns'),
          ),
        ),
        (document) => {
          kindOfDocument(document as JsonValue)
          otherJsonOf(document as JsonValue)
        },
      ),
    )
    fc.assert(fc.property(fc.jsonValue(), (value) => void kindOfDocument(value as JsonValue)))
  })
})

describe('what is no SBOM in JSON', () => {
  it.each([
    ['SPDX tag-value', TAG_VALUE],
    ['CycloneDX XML', '<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>'],
    ['SPDX RDF', '<rdf:RDF xmlns:spdx="http://spdx.org/rdf/terms#"/>'],
    ['SPDX YAML', 'SPDXID: SPDXRef-DOCUMENT\nspdxVersion: "SPDX-2.3"\n'],
  ])('recognises %s', (name, text) => {
    expect(otherFormOf(utf8Encode(text))?.name).toBe(name)
  })

  it('says nothing of other bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void otherFormOf(bytes)))
    expect(otherFormOf(utf8Encode('<html>'))).toBeUndefined()
    expect(otherFormOf(utf8Encode(' '.repeat(4096)))).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['an in-toto statement', { _type: 'https://in-toto.io/Statement/v0.1' }],
    ["Trivy's own report", { SchemaVersion: 2, ArtifactName: 'app', Results: [] }],
    ["GitHub's wrapper around an SBOM", { sbom: syftSpdx }],
  ])('recognises %s', (name, document) => {
    expect(otherJsonOf(document as JsonValue)?.name).toBe(name)
  })

  it('says nothing of other documents', () => {
    for (const one of [undefined, null, [], {}, { _type: 'link' }, { SchemaVersion: '2' }, { sbom: [] }])
      expect(otherJsonOf(one as JsonValue | undefined)).toBeUndefined()
  })
})

describe('jsonOrNothing', () => {
  it('gives nothing for what is no strict JSON', () => {
    expect(jsonOrNothing(utf8Encode('{"a":1}'), 2)).toEqual({ a: 1 })
    expect(jsonOrNothing(utf8Encode('{"a":1,"a":2}'), 2)).toBeUndefined()
    expect(jsonOrNothing(utf8Encode('[[[]]]'), 2)).toBeUndefined()
  })
})
