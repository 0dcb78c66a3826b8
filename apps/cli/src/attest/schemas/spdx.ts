import { filled, flag, list, object, text, type Schema } from './parts.js'

/** SPDX 2 §6.9: UTC, to the second. */
const time: Schema = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$' }
const spdxId: Schema = { type: 'string', pattern: '^SPDXRef-[a-zA-Z0-9.-]+$' }

const checksum: Schema = object({ algorithm: filled, checksumValue: { type: 'string', pattern: '^[0-9a-fA-F]+$' } }, [
  'algorithm',
  'checksumValue',
])
const annotation: Schema = object(
  { annotationDate: time, annotationType: { enum: ['OTHER', 'REVIEW'] }, annotator: text, comment: text },
  ['annotationDate', 'annotationType', 'annotator', 'comment'],
)

const packageItem: Schema = object(
  {
    SPDXID: spdxId,
    name: text,
    versionInfo: text,
    packageFileName: text,
    supplier: text,
    originator: text,
    downloadLocation: text,
    filesAnalyzed: flag,
    packageVerificationCode: object(
      { packageVerificationCodeValue: filled, packageVerificationCodeExcludedFiles: list(text) },
      ['packageVerificationCodeValue'],
    ),
    checksums: list(checksum),
    homepage: text,
    sourceInfo: text,
    licenseConcluded: text,
    licenseInfoFromFiles: list(text),
    licenseDeclared: text,
    licenseComments: text,
    copyrightText: text,
    summary: text,
    description: text,
    comment: text,
    externalRefs: list(
      object({ referenceCategory: filled, referenceType: filled, referenceLocator: filled, comment: text }, [
        'referenceCategory',
        'referenceType',
        'referenceLocator',
      ]),
    ),
    attributionTexts: list(text),
    annotations: list(annotation),
    hasFiles: list(text),
    primaryPackagePurpose: text,
    releaseDate: time,
    builtDate: time,
    validUntilDate: time,
  },
  ['SPDXID', 'name', 'downloadLocation'],
)

const file: Schema = object(
  {
    SPDXID: spdxId,
    fileName: text,
    fileTypes: list(text),
    checksums: list(checksum, { minItems: 1 }),
    licenseConcluded: text,
    licenseInfoInFiles: list(text),
    licenseComments: text,
    copyrightText: text,
    comment: text,
    noticeText: text,
    fileContributors: list(text),
    attributionTexts: list(text),
    annotations: list(annotation),
  },
  ['SPDXID', 'fileName', 'checksums'],
)

const relationship: Schema = object(
  { spdxElementId: filled, relatedSpdxElement: filled, relationshipType: filled, comment: text },
  ['spdxElementId', 'relatedSpdxElement', 'relationshipType'],
)

/** Predicate `https://spdx.dev/Document`: an SPDX 2.2 or 2.3 document; required are the members that 2.3 requires. */
export const spdx2: Schema = object(
  {
    spdxVersion: { type: 'string', pattern: '^SPDX-2\\.[0-9]$' },
    dataLicense: filled,
    SPDXID: { const: 'SPDXRef-DOCUMENT' },
    name: text,
    documentNamespace: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9+.-]*:[^#\\s]+$' },
    creationInfo: object(
      { created: time, creators: list(filled, { minItems: 1 }), licenseListVersion: text, comment: text },
      ['created', 'creators'],
    ),
    comment: text,
    externalDocumentRefs: list(
      object({ externalDocumentId: filled, spdxDocument: filled, checksum }, [
        'externalDocumentId',
        'spdxDocument',
        'checksum',
      ]),
    ),
    packages: list(packageItem),
    files: list(file),
    snippets: list(
      object({ SPDXID: spdxId, snippetFromFile: filled, ranges: list({ type: 'object' }) }, [
        'SPDXID',
        'snippetFromFile',
        'ranges',
      ]),
    ),
    relationships: list(relationship),
    annotations: list(annotation),
    hasExtractedLicensingInfos: list(
      object({ licenseId: filled, extractedText: text, name: text, comment: text, seeAlsos: list(text) }, [
        'licenseId',
        'extractedText',
      ]),
    ),
    documentDescribes: list(text),
  },
  ['spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo'],
)

/** Predicate `https://spdx.dev/Document/v3`: the frame of an SPDX 3 document in JSON-LD. What the graph holds is not checked. */
export const spdx3: Schema = object(
  {
    '@context': { type: 'string', pattern: '^https://spdx\\.org/rdf/3' },
    '@graph': list(object({ type: filled }, ['type']), { minItems: 1 }),
  },
  ['@context', '@graph'],
)
