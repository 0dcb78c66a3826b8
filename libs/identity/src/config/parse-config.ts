import type { FulcioExtensionName } from '@touchmark/x509'
import { IdentityError } from '../errors.js'
import { TEMPLATED_EXTENSIONS } from '../extension-names.js'
import { parseJsonPath } from '../json-path.js'
import { parseTemplate } from '../template/parser.js'
import type { CiProvider, IssuerConfig, IssuerConfiguration, ValueTemplate } from './issuer-config.js'
import { parseError, readConfigFile, type RawMap, type RawValue } from './read-file.js'
import { challengeClaimOf, validateIssuer, validationError, warningsOf } from './validate.js'

type Format = 'json' | 'yaml'

/** Names of the file's members: [YAML, JSON]. In either format the other's names mean nothing (ca.md §6). */
const NAMES = {
  oidcIssuers: ['oidc-issuers', 'OIDCIssuers'],
  metaIssuers: ['meta-issuers', 'MetaIssuers'],
  ciIssuerMetadata: ['ci-issuer-metadata', 'CIIssuerMetadata'],
  issuerUrl: ['issuer-url', 'IssuerURL'],
  clientId: ['client-id', 'ClientID'],
  type: ['type', 'Type'],
  ciProvider: ['ci-provider', 'CIProvider'],
  issuerClaim: ['issuer-claim', 'IssuerClaim'],
  subjectDomain: ['subject-domain', 'SubjectDomain'],
  spiffeTrustDomain: ['spiffe-trust-domain', 'SPIFFETrustDomain'],
  challengeClaim: ['challenge-claim', 'ChallengeClaim'],
  caCert: ['ca-cert', 'CACert'],
  skipEmailVerification: ['skip-email-verification', 'SkipEmailVerification'],
  defaults: ['default-template-values', 'DefaultTemplateValues'],
  extensions: ['extension-templates', 'ExtensionTemplates'],
  subject: ['subject-alternative-name-template', 'SubjectAlternativeNameTemplate'],
} as const satisfies Record<string, readonly [yaml: string, json: string]>

/** One mapping of the file, read by our names for its members. */
class Section {
  readonly #values: RawMap
  readonly #format: Format
  readonly #where: string

  constructor(value: RawValue | undefined, format: Format, where: string) {
    if (value !== undefined && value !== null && !(value instanceof Map)) throw parseError(`${where} must be a mapping`)
    this.#values = (value as RawMap | null | undefined) ?? new Map()
    this.#format = format
    this.#where = where
  }

  #read(name: keyof typeof NAMES): RawValue | undefined {
    return this.#values.get(NAMES[name][this.#format === 'yaml' ? 0 : 1])
  }

  #name(name: keyof typeof NAMES): string {
    return `${this.#where}${this.#where === '' ? '' : ': '}${NAMES[name][this.#format === 'yaml' ? 0 : 1]}`
  }

  text(name: keyof typeof NAMES): string {
    return textOf(this.#read(name) ?? null, this.#name(name))
  }

  flag(name: keyof typeof NAMES): boolean {
    const text = this.text(name)
    if (/^(true|True|TRUE|y|Y|yes|Yes|YES|on|On|ON)$/.test(text)) return true
    if (/^(|false|False|FALSE|n|N|no|No|NO|off|Off|OFF)$/.test(text)) return false
    throw parseError(`${this.#name(name)} must be true or false`)
  }

  /** The members of a mapping, in the order of the file. */
  sections(name: keyof typeof NAMES): [key: string, section: Section][] {
    return this.entries(name).map(([key, value]) => [key, new Section(value, this.#format, key)])
  }

  entries(name: keyof typeof NAMES): [key: string, value: RawValue][] {
    const value = this.#read(name)
    if (value === undefined || value === null) return []
    if (!(value instanceof Map)) throw parseError(`${this.#name(name)} must be a mapping`)
    return [...(value as RawMap)].map(([key, member]) => [String(key ?? ''), member])
  }

  texts(name: keyof typeof NAMES): Map<string, string> {
    return new Map(this.entries(name).map(([key, value]) => [key, textOf(value, `${this.#name(name)}: ${key}`)]))
  }
}

function textOf(value: RawValue, where: string): string {
  if (value === null) return ''
  if (typeof value !== 'string') throw parseError(`${where} must be a string`)
  return value
}

/**
 * Parses Fulcio's configuration file, YAML or JSON (ca.md §6). Throws IDENTITY_CONFIG_INVALID: `parse: …` for what is not such a file, and
 * `validate: …` with Fulcio's own texts for what it refuses at start.
 */
export function parseIssuerConfig(text: string): IssuerConfiguration {
  const { format, root } = readConfigFile(text)
  const file = new Section(root, format, '')
  const issuers: IssuerConfig[] = []
  const warnings: string[] = []
  for (const [url, section] of file.sections('oidcIssuers')) {
    const issuer = readIssuer(url, section, false)
    const statedUrl = section.text('issuerUrl')
    validateIssuer(issuer, { issuerUrl: statedUrl, hasIssuerClaim: section.text('issuerClaim') !== '' })
    if (statedUrl === url) issuers.push(issuer)
    else warnings.push(`issuer ${url} is not used: its issuer-url is "${statedUrl}" and must equal the key`)
  }
  for (const [pattern, section] of file.sections('metaIssuers')) {
    const issuer = readIssuer(pattern, section, true)
    validateIssuer(issuer, { issuerUrl: pattern, hasIssuerClaim: false })
    issuers.push(issuer)
  }
  const ciProviders = new Map<string, CiProvider>()
  for (const [name, section] of file.sections('ciIssuerMetadata'))
    ciProviders.set(name, readCiProvider(section, format))
  if (issuers.length === 0) warnings.push('the file configures no issuer that can be used')
  return { issuers, ciProviders, warnings: [...warnings, ...warningsOf(issuers, ciProviders)] }
}

function readIssuer(url: string, section: Section, wildcard: boolean): IssuerConfig {
  const type = section.text('type')
  const path = section.text('issuerClaim')
  return {
    url,
    wildcard,
    clientId: section.text('clientId'),
    type,
    ciProvider: section.text('ciProvider'),
    issuerClaim: type === 'email' && path !== '' ? refuseAsInvalid(() => parseJsonPath(path)) : undefined,
    subjectDomain: section.text('subjectDomain'),
    spiffeTrustDomain: section.text('spiffeTrustDomain'),
    challengeClaim: challengeClaimOf(type, section.text('challengeClaim')),
    caCert: section.text('caCert'),
    skipEmailVerification: section.flag('skipEmailVerification'),
  }
}

function readCiProvider(section: Section, format: Format): CiProvider {
  const templates = section.texts('extensions')
  const extensions = new Map<FulcioExtensionName, ValueTemplate>()
  for (const { name, yamlName, goName } of TEMPLATED_EXTENSIONS) {
    const template = readTemplate(templates.get(format === 'yaml' ? yamlName : goName) ?? '')
    if (template !== undefined) extensions.set(name, template)
  }
  return { defaults: section.texts('defaults'), subject: readTemplate(section.text('subject')), extensions }
}

/** Fulcio writes an extension whose template is white space as it is; here it is left out, like an empty one. */
function readTemplate(text: string): ValueTemplate | undefined {
  if (text.trim() === '') return undefined
  if (!text.includes('{{')) return { kind: 'value', name: text }
  return { kind: 'template', template: refuseAsInvalid(() => parseTemplate(text)) }
}

function refuseAsInvalid<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof IdentityError) throw validationError(cause.message, cause)
    throw cause
  }
}
