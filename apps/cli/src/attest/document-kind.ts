import { parseJson, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { PREDICATE_TYPES } from '../statement.js'

/** A kind of document that says of itself what it is. */
export interface DocumentKind {
  /** As a person calls it, with its version: `CycloneDX 1.6 JSON`. */
  readonly name: string
  readonly format: 'spdx-json' | 'spdx3-json' | 'cyclonedx-json' | 'syft-json' | 'openvex'
  readonly version: string
  readonly sbom: boolean
  readonly predicateType: string
}

type JsonObject = { readonly [member: string]: JsonValue }

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A version as documents write it; anything else is shown as a question mark. */
function versionOf(value: JsonValue | undefined): string {
  return typeof value === 'string' && /^[0-9A-Za-z.+-]{1,32}$/.test(value) ? value : '?'
}

/** Recognises SPDX 2 and 3, CycloneDX, Syft's own JSON and OpenVEX by what the formats have to say of themselves, whatever tool wrote them. */
export function kindOfDocument(document: JsonValue | undefined): DocumentKind | undefined {
  if (!isObject(document)) return undefined
  const { bomFormat, spdxVersion, '@context': context, '@graph': graph, schema, artifacts } = document
  const kind = (
    format: DocumentKind['format'],
    name: string,
    version: string,
    alias: string,
    sbom = true,
  ): DocumentKind => ({
    format,
    version,
    name: `${name.replace('#', version)}`,
    sbom,
    predicateType: PREDICATE_TYPES[alias]!,
  })
  if (bomFormat === 'CycloneDX')
    return kind('cyclonedx-json', 'CycloneDX # JSON', versionOf(document['specVersion']), 'cyclonedx')
  if (typeof spdxVersion === 'string' && spdxVersion.startsWith('SPDX-'))
    return kind('spdx-json', 'SPDX # JSON', versionOf(spdxVersion.slice(5)), 'spdxjson')
  if (typeof context === 'string') {
    const spdx = /^https:\/\/spdx\.org\/rdf\/(3[0-9.]{0,8})\//.exec(context)
    if (spdx !== null && Array.isArray(graph)) return kind('spdx3-json', 'SPDX # JSON-LD', spdx[1]!, 'spdx3json')
    if (/^https:\/\/openvex\.dev\/ns(\/|$)/.test(context))
      return kind('openvex', 'OpenVEX #', versionOf(context.split('/')[4]?.replace(/^v/, '')), 'openvex', false)
  }
  if (Array.isArray(artifacts) && isObject(schema) && isSyft(schema, document['descriptor']))
    return kind('syft-json', 'Syft JSON #', versionOf(schema['version']), 'syftjson')
  return undefined
}

function isSyft(schema: JsonObject, descriptor: JsonValue | undefined): boolean {
  const { url } = schema
  return (typeof url === 'string' && url.includes('/syft/')) || (isObject(descriptor) && descriptor['name'] === 'syft')
}

/** Documents that people hold for an SBOM in JSON and that are none, with what to do instead. */
const OTHERS: readonly { readonly name: string; readonly hint: string; fits(text: string): boolean }[] = [
  {
    name: 'SPDX tag-value',
    hint: 'Write it as JSON (`syft -o spdx-json`, `trivy --format spdx-json`): a bundle carries JSON only.',
    fits: (text) => /^SPDXVersion:[ \t]*SPDX-/m.test(text),
  },
  {
    name: 'CycloneDX XML',
    hint: 'Write it as JSON (`syft -o cyclonedx-json`, `trivy --format cyclonedx`): a bundle carries JSON only.',
    fits: (text) => /^\s{0,100}</.test(text) && text.includes('cyclonedx.org/schema/bom'),
  },
  {
    name: 'SPDX RDF',
    hint: 'Write it as JSON: a bundle carries JSON only.',
    fits: (text) => /^\s{0,100}</.test(text) && text.includes('spdx.org/rdf/'),
  },
  {
    name: 'SPDX YAML',
    hint: 'Write it as JSON: a bundle carries JSON only.',
    fits: (text) => /^["']?spdxVersion["']?:\s*["']?SPDX-/m.test(text),
  },
]

/** What the beginning of a file that is no JSON looks like, or undefined. */
export function otherFormOf(bytes: Uint8Array): { readonly name: string; readonly hint: string } | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096))
  return OTHERS.find((one) => one.fits(text))
}

/** Documents in JSON that are taken for an SBOM and are none. */
export function otherJsonOf(
  document: JsonValue | undefined,
): { readonly name: string; readonly hint: string } | undefined {
  if (!isObject(document)) return undefined
  const { _type: type, SchemaVersion: schemaVersion, Results: results, ArtifactName: artifact } = document
  if (typeof type === 'string' && type.startsWith('https://in-toto.io/Statement/'))
    return { name: 'an in-toto statement', hint: 'Sign it as it is: --statement FILE.' }
  if (typeof schemaVersion === 'number' && (Array.isArray(results) || typeof artifact === 'string'))
    return {
      name: "Trivy's own report",
      hint: 'Let Trivy write an SBOM: `trivy --format cyclonedx` or `trivy --format spdx-json`.',
    }
  if (isObject(document['sbom']))
    return { name: "GitHub's wrapper around an SBOM", hint: 'Pass what its member "sbom" holds.' }
  return undefined
}

/** A value for {@link kindOfDocument} of bytes that may be anything. */
export function jsonOrNothing(bytes: Uint8Array, maxDepth: number): JsonValue | undefined {
  try {
    return parseJson(bytes, { maxDepth })
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}
