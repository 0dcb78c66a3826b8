import { describe, expect, it } from '@jest/globals'
import { parseStatement } from '@touchmark/bundle'
import { utf8Decode, utf8Encode } from '@touchmark/encoding'
import { buildStatement } from '../statement.js'
import { syftCyclonedx, syftJson, syftSpdx, TAG_VALUE } from '../testing/documents.js'
import { attestedSbom, isOfType, sbomTypes, type AttestedSbom } from './attested-sbom.js'

const CUSTOM = 'https://cosign.sigstore.dev/attestation/v1'

function read(type: string, predicate: unknown): AttestedSbom | undefined {
  const subject = { name: 'a', algorithm: 'SHA2_256' as const, digest: new Uint8Array(32) }
  const payload = buildStatement([subject], type, utf8Encode(JSON.stringify(predicate)))
  return attestedSbom(parseStatement(payload), payload)
}
const isAskedForBy = (type: string, predicate: unknown, asked: string | undefined): boolean =>
  isOfType(read(type, predicate)!, sbomTypes(asked))

describe('attestedSbom', () => {
  it.each<[string, unknown, string]>([
    ['https://cyclonedx.org/bom', syftCyclonedx(), 'CycloneDX 1.6 JSON'],
    ['https://cyclonedx.org/bom/v1.4', syftCyclonedx('1.4'), 'CycloneDX 1.4 JSON'],
    ['https://cyclonedx.org/schema', syftCyclonedx('1.3'), 'CycloneDX 1.3 JSON'],
    ['https://spdx.dev/Document/v2.3', syftSpdx, 'SPDX 2.3 JSON'],
    ['https://spdx.dev/Document', TAG_VALUE, 'SPDX tag-value'],
    ['https://spdx.dev/Document', 'text', 'a text that does not say what it is'],
    ['https://spdx.dev/Document', { a: 1 }, 'a JSON document that does not say what it is'],
    [CUSTOM, { Data: JSON.stringify(syftJson), Timestamp: '' }, 'Syft JSON 16.0.18'],
  ])('finds one under %s', (type, predicate, format) => {
    const sbom = read(type, predicate)!
    expect(sbom).toMatchObject({ predicateType: type, format })
    const data = (predicate as { Data?: string }).Data
    expect(utf8Decode(sbom.bytes)).toBe(data ?? (typeof predicate === 'string' ? predicate : JSON.stringify(predicate)))
  })

  it.each<[string, unknown]>([
    ['https://slsa.dev/provenance/v1', syftSpdx],
    ['https://spdx.dev/Documents', syftSpdx],
    ['https://spdx.dev/Document', 5],
    ['https://spdx.dev/Document', [syftSpdx]],
    [CUSTOM, syftSpdx],
    [CUSTOM, { Data: syftSpdx }],
    [CUSTOM, { Data: TAG_VALUE }],
    [CUSTOM, { Data: '{"@context":"https://openvex.dev/ns"}' }],
    [CUSTOM, 'text'],
  ])('finds none under %s in %j', (type, predicate) => {
    expect(read(type, predicate)).toBeUndefined()
  })
})

describe('sbomTypes', () => {
  it('asks for every form of a type by its short name', () => {
    for (const asked of [undefined, 'spdxjson', 'spdx', 'https://spdx.dev/Document']) {
      expect(isAskedForBy('https://spdx.dev/Document', syftSpdx, asked)).toBe(true)
      expect(isAskedForBy('https://spdx.dev/Document/v2.3', syftSpdx, asked)).toBe(true)
      expect(isAskedForBy(CUSTOM, { Data: JSON.stringify(syftSpdx) }, asked)).toBe(true)
    }
    expect(isAskedForBy('https://cyclonedx.org/bom', syftCyclonedx(), 'spdxjson')).toBe(false)
    expect(isAskedForBy(CUSTOM, { Data: JSON.stringify(syftJson) }, 'spdxjson')).toBe(false)
    expect(isAskedForBy(CUSTOM, { Data: JSON.stringify(syftJson) }, 'custom')).toBe(true)
    expect(isAskedForBy('https://spdx.dev/Document', syftSpdx, 'custom')).toBe(false)
  })

  it('asks for one form by its URI', () => {
    expect(isAskedForBy('https://spdx.dev/Document/v2.3', syftSpdx, 'https://spdx.dev/Document/v2.3')).toBe(true)
    expect(isAskedForBy('https://spdx.dev/Document', syftSpdx, 'https://spdx.dev/Document/v2.3')).toBe(false)
  })

  it.each(['slsaprovenance1', 'openvex', 'https://example.org/sbom', 'nonsense'])('refuses %s', (type) => {
    expect(() => sbomTypes(type)).toThrowCode('CLI_USAGE')
  })
})
