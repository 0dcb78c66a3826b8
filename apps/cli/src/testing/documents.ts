// Small documents of each form that is attested, with the members that Syft, Trivy and others write.
type Json = Record<string, unknown>

/** CycloneDX as Syft 1.x writes it; `specVersion` is replaced for other versions, which all have what is used here. */
export const syftCyclonedx = (specVersion = '1.6'): Json => ({
  ...(Number(specVersion.slice(2)) >= 4
    ? {
        $schema: `http://cyclonedx.org/schema/bom-${specVersion === '1.2' ? '1.2b' : specVersion}.schema.json`,
      }
    : {}),
  bomFormat: 'CycloneDX',
  specVersion,
  serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
  version: 1,
  metadata: {
    timestamp: '2026-03-01T09:30:00+01:00',
    tools:
      Number(specVersion.slice(2)) >= 5
        ? { components: [{ type: 'application', author: 'anchore', name: 'syft', version: '1.18.0' }] }
        : [{ vendor: 'anchore', name: 'syft', version: '1.18.0' }],
    component: { 'bom-ref': 'af63bd4c8601b7f1', type: 'container', name: 'example/app', version: '2.1.0' },
  },
  components: [
    {
      'bom-ref': 'pkg:npm/left-pad@1.3.0',
      type: 'library',
      name: 'left-pad',
      version: '1.3.0',
      licenses: [{ license: { id: 'MIT' } }],
      purl: 'pkg:npm/left-pad@1.3.0',
    },
    {
      'bom-ref': 'pkg:deb/debian/zlib1g@1.2.13',
      type: 'library',
      name: 'zlib1g',
      version: '1:1.2.13.dfsg-1',
      licenses: [{ license: { name: 'Zlib-like' } }],
      components: [{ type: 'file', name: '/usr/lib/libz.so.1', version: '' }],
    },
    { type: 'library', name: 'dual', version: '1', licenses: [{ expression: 'MIT OR Apache-2.0' }] },
  ],
  dependencies: [{ ref: 'pkg:npm/left-pad@1.3.0' }],
})

/** CycloneDX as Trivy writes it. */
export const trivyCyclonedx: Json = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: 'urn:uuid:7b7e3f2c-7f1e-4c69-9b0a-0d6d9a4b1c11',
  version: 1,
  metadata: {
    timestamp: '2026-02-03T04:05:06+00:00',
    tools: {
      components: [
        {
          type: 'application',
          manufacturer: { name: 'Aqua Security Software Ltd.' },
          group: 'aquasecurity',
          name: 'trivy',
          version: '0.58.1',
        },
      ],
    },
    component: {
      'bom-ref': 'root',
      type: 'application',
      name: 'app',
      properties: [{ name: 'aquasecurity:trivy:SchemaVersion', value: '2' }],
    },
  },
  components: [],
  dependencies: [{ ref: 'root', dependsOn: [] }],
  vulnerabilities: [],
}

/** SPDX 2.3 as Syft writes it. */
export const syftSpdx: Json = {
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'example/app',
  documentNamespace: 'https://anchore.com/syft/image/example/app-2b9f0c60-4c38-4d1b-8f0a-8d5f4d5a7c11',
  creationInfo: {
    licenseListVersion: '3.25',
    creators: ['Organization: Anchore, Inc', 'Tool: syft-1.18.0'],
    created: '2026-03-01T08:30:00Z',
  },
  packages: [
    {
      name: 'left-pad',
      SPDXID: 'SPDXRef-Package-npm-left-pad-1234',
      versionInfo: '1.3.0',
      supplier: 'NOASSERTION',
      downloadLocation: 'NOASSERTION',
      filesAnalyzed: false,
      sourceInfo: 'acquired package info from installed node module manifest file',
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'WTFPL',
      copyrightText: 'NOASSERTION',
      externalRefs: [
        { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: 'pkg:npm/left-pad@1.3.0' },
      ],
    },
    {
      name: 'example/app',
      SPDXID: 'SPDXRef-DocumentRoot-Image-app',
      versionInfo: '2.1.0',
      supplier: 'NOASSERTION',
      downloadLocation: 'NOASSERTION',
      filesAnalyzed: false,
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'NOASSERTION',
      primaryPackagePurpose: 'CONTAINER',
    },
  ],
  files: [
    {
      fileName: '/package.json',
      SPDXID: 'SPDXRef-File-package.json-5678',
      fileTypes: ['TEXT'],
      checksums: [{ algorithm: 'SHA1', checksumValue: '0000000000000000000000000000000000000000' }],
      licenseConcluded: 'NOASSERTION',
      licenseInfoInFiles: ['NOASSERTION'],
      copyrightText: 'NOASSERTION',
    },
  ],
  relationships: [
    {
      spdxElementId: 'SPDXRef-DocumentRoot-Image-app',
      relatedSpdxElement: 'SPDXRef-Package-npm-left-pad-1234',
      relationshipType: 'CONTAINS',
    },
    {
      spdxElementId: 'SPDXRef-DOCUMENT',
      relatedSpdxElement: 'SPDXRef-DocumentRoot-Image-app',
      relationshipType: 'DESCRIBES',
    },
  ],
}

/** SPDX 2.3 as Trivy writes it. */
export const trivySpdx: Json = {
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  documentNamespace: 'http://trivy.dev/filesystem/app-1b1e9d3e-0f0d-4a0e-9d55-6a6c6d1b2a10',
  creationInfo: { creators: ['Organization: aquasecurity', 'Tool: trivy-0.58.1'], created: '2026-02-03T04:05:06Z' },
  packages: [
    {
      name: 'app',
      SPDXID: 'SPDXRef-Filesystem-a1b2',
      downloadLocation: 'NONE',
      filesAnalyzed: false,
      attributionTexts: ['SchemaVersion: 2'],
      primaryPackagePurpose: 'SOURCE',
      annotations: [
        {
          annotator: 'Tool: trivy-0.58.1',
          annotationDate: '2026-02-03T04:05:06Z',
          annotationType: 'OTHER',
          comment: 'SchemaVersion: 2',
        },
      ],
    },
  ],
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relatedSpdxElement: 'SPDXRef-Filesystem-a1b2', relationshipType: 'DESCRIBES' },
  ],
}

/** SPDX 3 in JSON-LD. */
export const spdx3: Json = {
  '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
  '@graph': [
    {
      type: 'CreationInfo',
      '@id': '_:creation',
      specVersion: '3.0.1',
      created: '2026-03-01T08:30:00Z',
      createdBy: ['urn:a'],
    },
    { type: 'SpdxDocument', spdxId: 'urn:doc', name: 'example', creationInfo: '_:creation' },
    { type: 'Tool', spdxId: 'urn:tool', name: 'some-tool 1', creationInfo: '_:creation' },
    { type: 'software_Package', spdxId: 'urn:a', name: 'left-pad', creationInfo: '_:creation' },
  ],
}

/** Syft's own JSON. */
export const syftJson: Json = {
  artifacts: [
    {
      id: 'd2a0fd1d9a3f2b11',
      name: 'left-pad',
      version: '1.3.0',
      type: 'npm',
      foundBy: 'javascript-package-cataloger',
      locations: [{ path: '/package.json', accessPath: '/package.json', annotations: { evidence: 'primary' } }],
      licenses: [{ value: 'WTFPL', spdxExpression: 'WTFPL', type: 'declared', urls: [], locations: [] }],
      language: 'javascript',
      cpes: [],
      purl: 'pkg:npm/left-pad@1.3.0',
    },
    { id: 'e1', name: 'old', version: '0', type: 'gem', locations: [], licenses: ['MIT'], language: 'ruby', purl: '' },
  ],
  artifactRelationships: [{ parent: 'a', child: 'd2a0fd1d9a3f2b11', type: 'contains' }],
  source: {
    id: 'a',
    name: 'example/app',
    version: 'sha256:00',
    type: 'image',
    metadata: { userInput: 'example/app:2' },
  },
  distro: { name: 'debian', id: 'debian', versionID: '12' },
  descriptor: { name: 'syft', version: '1.18.0', configuration: {} },
  schema: {
    version: '16.0.18',
    url: 'https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.0.18.json',
  },
}

export const openvexDocument: Json = {
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://openvex.dev/docs/example/vex-9fb3463de1b57',
  author: 'Wolfi J Inkinson',
  role: 'Document Creator',
  timestamp: '2026-01-08T18:02:03.647787998-06:00',
  version: 1,
  statements: [
    {
      vulnerability: { name: 'CVE-2023-12345' },
      products: [{ '@id': 'pkg:apk/wolfi/git@2.39.0-r1?arch=armv7', subcomponents: [{ '@id': 'pkg:apk/x' }] }],
      status: 'not_affected',
      justification: 'inline_mitigations_already_exist',
    },
    { vulnerability: { name: 'CVE-2023-12346' }, status: 'affected', action_statement: 'update' },
  ],
}

/** As `trivy --format cosign-vuln` has it. */
export const vulnScan: Json = {
  invocation: { parameters: null, uri: '', event_id: '', 'builder.id': '' },
  scanner: {
    uri: 'pkg:github/aquasecurity/trivy@0.58.1',
    version: '0.58.1',
    db: { uri: '', version: '' },
    result: { SchemaVersion: 2, Results: [] },
  },
  metadata: { scanStartedOn: '2026-02-03T04:05:06.000000001Z', scanFinishedOn: '2026-02-03T04:05:07Z' },
}

export const provenance1: Json = {
  buildDefinition: {
    buildType: 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1',
    externalParameters: { workflow: { ref: 'refs/heads/main', path: '.github/workflows/build.yml' } },
    internalParameters: { github: { event_name: 'push' } },
    resolvedDependencies: [
      { uri: 'git+https://github.com/example/app@refs/heads/main', digest: { gitCommit: '7fd1a60b01f91b314f59' } },
    ],
  },
  runDetails: {
    builder: { id: 'https://github.com/actions/runner/github-hosted' },
    metadata: {
      invocationId: 'https://github.com/example/app/actions/runs/1/attempts/1',
      startedOn: '2026-01-01T00:00:00Z',
    },
  },
}

export const provenance02: Json = {
  builder: { id: 'mailto:person@example.com' },
  buildType: 'https://example.com/Makefile',
  invocation: {
    configSource: {
      uri: 'https://example.com/example-1.2.3.tar.gz',
      digest: { sha256: '1234' },
      entryPoint: 'src:foo',
    },
    parameters: { CFLAGS: '-O3' },
    environment: null,
  },
  metadata: {
    buildStartedOn: '2026-01-01T00:00:00Z',
    completeness: { parameters: true, environment: false, materials: false },
    reproducible: false,
  },
  materials: [{ uri: 'https://example.com/example-1.2.3.tar.gz', digest: { sha256: '1234' } }],
}

export const link: Json = {
  _type: 'link',
  name: 'build',
  command: ['make'],
  materials: { 'main.c': { sha256: '1234' } },
  products: { app: { sha256: '5678' } },
  byproducts: { 'return-value': 0 },
  environment: {},
}

/** One document of each predicate type that has a schema, by the type's short name. */
export const EXAMPLES: Readonly<Record<string, Json>> = {
  slsaprovenance02: provenance02,
  slsaprovenance1: provenance1,
  spdxjson: syftSpdx,
  spdx3json: spdx3,
  cyclonedx: syftCyclonedx(),
  syftjson: syftJson,
  link,
  vuln: vulnScan,
  openvex: openvexDocument,
}

export const TAG_VALUE = `SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: app
`
