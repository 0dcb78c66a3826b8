import { isDeepStrictEqual } from 'node:util'
import { parseStatement } from '@touchmark/bundle'
import { concatBytes, parseJson, utf8Encode } from '@touchmark/encoding'
import { jsonOrNothing, kindOfDocument, otherFormOf, otherJsonOf } from '../../../apps/cli/dist/attest/document-kind.js'
import { spacedPredicate } from '../../../apps/cli/dist/attest/predicate-text.js'
import { attestedSbom } from '../../../apps/cli/dist/sbom/attested-sbom.js'
import { summaryOf } from '../../../apps/cli/dist/sbom/summary.js'
import { holds } from '../parts/drive.mjs'
import { fromJson } from '../parts/generate.mjs'

const documents = [
  {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: {
      timestamp: '2026-03-01T08:30:00Z',
      tools: { components: [{ name: 'syft', version: '1' }] },
      component: { name: 'a' },
    },
    components: [
      { name: 'b', licenses: [{ license: { id: 'MIT' } }, { expression: 'MIT' }], components: [{ name: 'c' }] },
    ],
  },
  {
    spdxVersion: 'SPDX-2.3',
    name: 'a',
    creationInfo: { created: '2026-03-01T08:30:00Z', creators: ['Tool: t'] },
    packages: [{ SPDXID: 'SPDXRef-a', name: 'a', versionInfo: '1', licenseConcluded: 'MIT', licenseDeclared: 'NONE' }],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-a' },
    ],
  },
  {
    '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
    '@graph': [{ type: 'Tool', name: 't' }, { type: 'software_Package' }, { type: 'SpdxDocument', name: 'a' }],
  },
  {
    artifacts: [{ id: 'a', licenses: ['MIT', { value: 'BSD', spdxExpression: 'BSD-3-Clause' }] }],
    source: { name: 'a', version: '1', metadata: { userInput: 'a' } },
    descriptor: { name: 'syft', version: '1' },
    schema: { version: '16.0.18', url: 'https://example.com/syft/schema.json' },
  },
  { '@context': 'https://openvex.dev/ns/v0.2.0', statements: [] },
  { SchemaVersion: 2, Results: [], ArtifactName: 'a' },
  { sbom: {} },
]

const document = {
  name: 'SBOM document',
  weight: 2,
  ...fromJson([
    ...documents.map((one) => JSON.stringify(one)),
    'SPDXVersion: SPDX-2.3\n',
    '<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>',
  ]),
  read: (input) => {
    otherFormOf(input)
    const value = jsonOrNothing(input, 250)
    otherJsonOf(value)
    const kind = kindOfDocument(value)
    return kind === undefined ? undefined : { kind, value }
  },
  check: ({ kind, value }) => {
    const { components, licenses, withoutLicense } = summaryOf(kind, value)
    holds(withoutLicense <= components, 'more components without a licence than there are')
    holds(
      licenses.every(([, count]) => count > 0 && count <= components),
      'a licence of more components than there are',
    )
  },
}

const statementOf = (predicateType, predicate) =>
  JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'a', digest: { sha256: 'ab'.repeat(32) } }],
    predicateType,
    predicate,
  })

const statement = {
  name: 'attested SBOM',
  weight: 2,
  ...fromJson([
    statementOf('https://cyclonedx.org/bom', documents[0]),
    statementOf('https://spdx.dev/Document', documents[1]),
    statementOf('https://spdx.dev/Document', 'SPDXVersion: SPDX-2.3\n'),
    statementOf('https://cosign.sigstore.dev/attestation/v1', { Data: JSON.stringify(documents[3]), Timestamp: '' }),
  ]),
  read: (input) => ({ read: parseStatement(input), sbom: attestedSbom(parseStatement(input), input) }),
  check: ({ read, sbom }, input) => {
    const bytes = spacedPredicate(input)
    const found = bytes === undefined ? undefined : parseJson(bytes, { maxDepth: 256 })
    holds(
      isDeepStrictEqual(found ?? undefined, read.predicate),
      'the bytes of the predicate say something else than the predicate',
    )
    if (sbom?.bytes === undefined || typeof found !== 'object' || 'Data' in found) return
    const again = concatBytes(utf8Encode('{"predicate":'), sbom.bytes, utf8Encode('}'))
    holds(
      isDeepStrictEqual(parseJson(again, { maxDepth: 256 }).predicate, read.predicate),
      'the SBOM is not the predicate',
    )
  },
}

export const documentParsers = [document, statement]
