import type { JsonValue } from '@touchmark/encoding'
import type { DocumentKind } from '../attest/document-kind.js'

/** What a person wants to know of an SBOM first. Nothing of it is believed: it is what the document says. */
export interface SbomSummary {
  /** What the SBOM is of. */
  readonly name: string | undefined
  readonly version: string | undefined
  readonly created: string | undefined
  readonly tools: readonly string[]
  readonly components: number
  /** Licences by the number of components, the most frequent first; at most {@link MOST_LICENSES}. */
  readonly licenses: readonly (readonly [license: string, components: number])[]
  /** Components for which no licence is stated. */
  readonly withoutLicense: number
}

export const MOST_LICENSES = 10

type Json = JsonValue | undefined

const member = (value: Json, name: string): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [member: string]: JsonValue })[name]
    : undefined
const at = (value: Json, ...path: string[]): Json => path.reduce(member, value)
const textOf = (value: Json): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const listOf = (value: Json): readonly JsonValue[] => (Array.isArray(value) ? value : [])
const textsOf = (values: readonly Json[]): string[] => values.map(textOf).filter((one) => one !== undefined)

/** Reads the summary of a document of this kind; whatever is not there, or not as it should be, is left out. Never throws. */
export function summaryOf(kind: DocumentKind, document: JsonValue): SbomSummary {
  if (kind.format === 'cyclonedx-json') return cyclonedx(document)
  if (kind.format === 'syft-json') return syft(document)
  return kind.format === 'spdx3-json' ? spdx3(document) : spdx2(document)
}

function cyclonedx(document: JsonValue): SbomSummary {
  const subject = at(document, 'metadata', 'component')
  const tools = at(document, 'metadata', 'tools')
  // A list up to 1.4; from 1.5 on an object with components and services.
  const listed = [...listOf(tools), ...listOf(member(tools, 'components')), ...listOf(member(tools, 'services'))]
  const components: JsonValue[] = []
  const open = [...listOf(member(document, 'components'))]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    components.push(next)
    for (const nested of listOf(member(next, 'components'))) open.push(nested)
  }
  return {
    name: textOf(member(subject, 'name')),
    version: textOf(member(subject, 'version')),
    created: textOf(at(document, 'metadata', 'timestamp')),
    tools: listed.map(nameAndVersion).filter((one) => one !== ''),
    components: components.length,
    ...count(components, (one) =>
      textsOf(
        listOf(member(one, 'licenses')).map(
          (choice) => member(choice, 'expression') ?? at(choice, 'license', 'id') ?? at(choice, 'license', 'name'),
        ),
      ),
    ),
  }
}

function spdx2(document: JsonValue): SbomSummary {
  const packages = listOf(member(document, 'packages'))
  const described = textsOf([
    ...listOf(member(document, 'documentDescribes')),
    ...listOf(member(document, 'relationships'))
      .filter(
        (one) => member(one, 'relationshipType') === 'DESCRIBES' && member(one, 'spdxElementId') === 'SPDXRef-DOCUMENT',
      )
      .map((one) => member(one, 'relatedSpdxElement')),
  ])
  const subject = packages.find((one) => member(one, 'SPDXID') === described[0])
  const stated = (value: Json): string[] => textsOf([value]).filter((one) => one !== 'NOASSERTION' && one !== 'NONE')
  return {
    name: textOf(member(subject, 'name')) ?? textOf(member(document, 'name')),
    version: textOf(member(subject, 'versionInfo')),
    created: textOf(at(document, 'creationInfo', 'created')),
    tools: textsOf(listOf(at(document, 'creationInfo', 'creators')))
      .filter((one) => one.startsWith('Tool: '))
      .map((one) => one.slice(6)),
    components: packages.length,
    ...count(packages, (one) => {
      const concluded = stated(member(one, 'licenseConcluded'))
      return concluded.length > 0 ? concluded : stated(member(one, 'licenseDeclared'))
    }),
  }
}

function spdx3(document: JsonValue): SbomSummary {
  const graph = listOf(member(document, '@graph'))
  const ofType = (type: string): JsonValue[] => graph.filter((one) => member(one, 'type') === type)
  const packages = ofType('software_Package')
  return {
    name: textOf(member(ofType('SpdxDocument')[0], 'name')),
    version: undefined,
    created: textOf(member(ofType('CreationInfo')[0], 'created')),
    tools: textsOf(ofType('Tool').map((one) => member(one, 'name'))),
    components: packages.length,
    // Licences are relationships there, which a summary does not follow.
    licenses: [],
    withoutLicense: packages.length,
  }
}

function syft(document: JsonValue): SbomSummary {
  const source = member(document, 'source')
  const artifacts = listOf(member(document, 'artifacts'))
  return {
    name: textOf(member(source, 'name')) ?? textOf(at(source, 'metadata', 'userInput')),
    version: textOf(member(source, 'version')),
    created: undefined,
    tools: [nameAndVersion(member(document, 'descriptor') ?? null)].filter((one) => one !== ''),
    components: artifacts.length,
    ...count(artifacts, (one) =>
      textsOf(
        listOf(member(one, 'licenses')).map((license) =>
          typeof license === 'string'
            ? license
            : (textOf(member(license, 'spdxExpression')) ?? textOf(member(license, 'value'))),
        ),
      ),
    ),
  }
}

function nameAndVersion(tool: JsonValue): string {
  return textsOf([member(tool, 'name'), member(tool, 'version')]).join(' ')
}

/** Each licence once a component, however often it is named there. */
function count(
  components: readonly JsonValue[],
  licensesOf: (component: JsonValue) => readonly string[],
): Pick<SbomSummary, 'licenses' | 'withoutLicense'> {
  const counts = new Map<string, number>()
  let withoutLicense = 0
  for (const component of components) {
    const licenses = new Set(licensesOf(component))
    if (licenses.size === 0) withoutLicense++
    for (const license of licenses) counts.set(license, (counts.get(license) ?? 0) + 1)
  }
  const ordered = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return { licenses: ordered.slice(0, MOST_LICENSES), withoutLicense }
}
