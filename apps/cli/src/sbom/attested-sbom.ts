import type { Statement } from '@touchmark/bundle'
import { utf8Encode } from '@touchmark/encoding'
import { jsonOrNothing, kindOfDocument, otherFormOf, type DocumentKind } from '../attest/document-kind.js'
import { spacedPredicate } from '../attest/predicate-text.js'
import { CliError } from '../errors.js'
import { PREDICATE_TYPES, predicateTypeUri } from '../statement.js'

/** An SBOM as it was attested. */
export interface AttestedSbom {
  readonly predicateType: string
  /** The document, byte for byte. */
  readonly bytes: Uint8Array
  /** What the document says it is; what is not recognised is still what was attested. */
  readonly kind: DocumentKind | undefined
  /** `CycloneDX 1.6 JSON`, `SPDX tag-value`, … */
  readonly format: string
}

const CUSTOM = PREDICATE_TYPES['custom']!
const withVersions = (uri: string, versions: readonly string[]): string[] => [
  uri,
  ...versions.map((version) => `${uri}/v${version}`),
]

/** Predicate types of SBOMs by the short name that asks for them: as cosign writes them, as in-toto does with a version, and one of older cosigns. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  spdxjson: withVersions('https://spdx.dev/Document', ['2', '2.2', '2.3']),
  spdx3json: withVersions('https://spdx.dev/Document', ['3', '3.0', '3.0.0', '3.0.1']).slice(1),
  cyclonedx: [
    ...withVersions('https://cyclonedx.org/bom', ['1.2', '1.3', '1.4', '1.5', '1.6', '1.7']),
    'https://cyclonedx.org/schema',
  ],
  syftjson: ['https://syft.dev/bom'],
}
const SBOM_TYPES: readonly string[] = Object.values(FAMILIES).flat()
const DEPTH = 256

/** Predicate types that an SBOM may be found under: all, or those of the type that was asked for. Throws CLI_USAGE for a type that no SBOM has. */
export function sbomTypes(type: string | undefined): readonly string[] {
  if (type === undefined) return [...SBOM_TYPES, CUSTOM]
  const uri = predicateTypeUri(type)
  const family = Object.values(FAMILIES).find((types) => types[0] === uri)
  if (family !== undefined) return [...family, CUSTOM]
  if (SBOM_TYPES.includes(uri) || uri === CUSTOM) return [uri]
  throw new CliError('CLI_USAGE', `${type.slice(0, 80)} is no type of SBOMs`, {
    expected: [...Object.keys(FAMILIES), ...SBOM_TYPES].join(', '),
  })
}

/** True when an SBOM is one that was asked for: what `custom` wraps is told by the document alone. */
export function isOfType({ predicateType, kind }: AttestedSbom, types: readonly string[]): boolean {
  if (predicateType !== CUSTOM || types[0] === CUSTOM) return types.includes(predicateType)
  return kind !== undefined && types.includes(kind.predicateType)
}

/**
 * The SBOM that a verified statement carries, or undefined when it carries none: a predicate of an SBOM's type, also as text (cosign's `spdx`); or one in the
 * wrapper of cosign's `custom`, where `syft attest` puts Syft JSON. `payload` are the bytes that `statement` was read from.
 */
export function attestedSbom({ predicateType, predicate }: Statement, payload: Uint8Array): AttestedSbom | undefined {
  const isObject = typeof predicate === 'object' && predicate !== null && !Array.isArray(predicate)
  if (predicateType === CUSTOM && isObject) {
    const data = (predicate as { readonly Data?: unknown }).Data
    if (typeof data !== 'string') return undefined
    const sbom = textSbom(predicateType, data)
    return sbom.kind?.sbom === true ? sbom : undefined
  }
  if (!SBOM_TYPES.includes(predicateType)) return undefined
  if (typeof predicate === 'string') return textSbom(predicateType, predicate)
  const bytes = spacedPredicate(payload)
  if (!isObject || bytes === undefined) return undefined
  const kind = kindOfDocument(predicate)
  return { predicateType, bytes, kind, format: kind?.name ?? 'a JSON document that does not say what it is' }
}

function textSbom(predicateType: string, text: string): AttestedSbom {
  const bytes = utf8Encode(text)
  const kind = kindOfDocument(jsonOrNothing(bytes, DEPTH))
  const format = kind?.name ?? otherFormOf(bytes)?.name ?? 'a text that does not say what it is'
  return { predicateType, bytes, kind, format }
}
