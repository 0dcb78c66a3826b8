import { checkMediaType, decodeFile, messagesOf, missing, rangeOf, textOf, type Decoded } from './decoded.js'
import { TrustError } from './errors.js'
import { SELECTOR_NAMES, signingConfigSchema } from './schema.js'
import { isWithin, type TimeRange } from './time-range.js'
import { rangeJson } from './trusted-root.js'

export const SIGNING_CONFIG_MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'

/** One service that a signing client may call. */
export interface Service {
  readonly url: string
  readonly majorApiVersion: number
  readonly validFor?: TimeRange
  readonly operator: string
}

/** How many of the services to use: any one, all, or exactly `count` of different operators. */
export type ServiceSelector =
  { readonly selector: 'ANY' | 'ALL' } | { readonly selector: 'EXACT'; readonly count: number }

/** contract/trust.md §3. */
export interface SigningConfig {
  readonly mediaType: string
  readonly caUrls: readonly Service[]
  readonly oidcUrls: readonly Service[]
  readonly rekorTlogUrls: readonly Service[]
  /** Absent: the config says nothing about logs. */
  readonly rekorTlogConfig?: ServiceSelector
  readonly tsaUrls: readonly Service[]
  readonly tsaConfig?: ServiceSelector
}

/** Reads a signing config v0.2; unknown members are refused. Throws a TrustError. */
export function parseSigningConfig(bytes: Uint8Array): SigningConfig {
  return readSigningConfig(decodeFile(bytes, signingConfigSchema), '')
}

export function readSigningConfig(config: Decoded, prefix: string): SigningConfig {
  const services = (name: string): Service[] =>
    messagesOf(config, name).map((service, i) => readService(service, `${prefix}${name}[${i}]`))
  const rekorTlogConfig = readSelector(config, 'rekorTlogConfig', prefix)
  const tsaConfig = readSelector(config, 'tsaConfig', prefix)
  return {
    mediaType: checkMediaType(config, [SIGNING_CONFIG_MEDIA_TYPE], `${prefix}mediaType`),
    caUrls: services('caUrls'),
    oidcUrls: services('oidcUrls'),
    rekorTlogUrls: services('rekorTlogUrls'),
    ...(rekorTlogConfig ? { rekorTlogConfig } : {}),
    tsaUrls: services('tsaUrls'),
    ...(tsaConfig ? { tsaConfig } : {}),
  }
}

function invalid(path: string, expected: string, found: string): TrustError {
  return new TrustError('TRUST_FIELD_INVALID', `${path} must be ${expected}`, {
    check: path,
    expected,
    found: found.slice(0, 200),
    hint: 'Get the file again from your instance.',
  })
}

function readService(service: Decoded, path: string): Service {
  const url = textOf(service, 'url')
  if (url === '') throw missing(`${path}.url`)
  // A client calls this address: nothing but HTTP, and no user names or passwords in it.
  if (!URL.canParse(url) || !/^https?:\/\/[^@\s]*$/.test(url)) throw invalid(`${path}.url`, 'an http or https URL', url)
  const majorApiVersion = (service['majorApiVersion'] as number | undefined) ?? 0
  if (majorApiVersion < 1) throw missing(`${path}.majorApiVersion`)
  const validFor = rangeOf(service, 'validFor', path)
  return { url, majorApiVersion, ...(validFor ? { validFor } : {}), operator: textOf(service, 'operator') }
}

function readSelector(config: Decoded, name: string, prefix: string): ServiceSelector | undefined {
  const given = config[name] as Decoded | undefined
  if (given === undefined) return undefined
  const path = `${prefix}${name}`
  const count = (given['count'] as number | undefined) ?? 0
  switch ((given['selector'] as number | undefined) ?? 0) {
    case SELECTOR_NAMES.ANY:
      return { selector: 'ANY' }
    case SELECTOR_NAMES.ALL:
      return { selector: 'ALL' }
    case SELECTOR_NAMES.EXACT:
      if (count < 1) throw invalid(`${path}.count`, 'at least 1', String(count))
      return { selector: 'EXACT', count }
    default:
      throw invalid(`${path}.selector`, 'ANY, ALL or EXACT', String(given['selector'] ?? 'nothing'))
  }
}

/** What {@link selectServices} goes by. */
export interface ServiceWish {
  /** API versions that the caller speaks. */
  readonly versions: readonly number[]
  readonly now: Date
  /** ANY unless given. */
  readonly selector?: ServiceSelector
}

/**
 * Chooses services as cosign 3 does (contract/trust.md §3): those valid now, of the highest API version that both sides know, newest start first,
 * at equal starts the last in the list first, one per operator. ANY gives the first of these (where cosign draws lots among operators).
 * Throws TRUST_SERVICE_NONE, or TRUST_SERVICE_COUNT when EXACT asks for more operators than there are.
 */
export function selectServices(services: readonly Service[], wish: ServiceWish): readonly [Service, ...Service[]] {
  const valid = services.filter(
    (service) => wish.versions.includes(service.majorApiVersion) && isWithin(wish.now, service.validFor),
  )
  const highest = Math.max(...valid.map((service) => service.majorApiVersion))
  const started = (service: Service): number => service.validFor?.start.getTime() ?? Number.NEGATIVE_INFINITY
  const ordered = valid
    .filter((service) => service.majorApiVersion === highest)
    .map((service, position) => ({ service, position }))
    .sort((a, b) =>
      started(b.service) > started(a.service)
        ? 1
        : started(b.service) < started(a.service)
          ? -1
          : b.position - a.position,
    )
    .map(({ service }) => service)
  const perOperator = ordered.filter(
    (service, i) => ordered.findIndex((other) => other.operator === service.operator) === i,
  )
  const [first, ...rest] = perOperator
  if (first === undefined)
    throw new TrustError('TRUST_SERVICE_NONE', 'the signing config has no service of this kind that is valid now', {
      check: 'service selection',
      expected: `API version ${wish.versions.join(' or ')}, valid at ${wish.now.toISOString()}`,
      found: services.map((service) => `${service.url} (v${service.majorApiVersion})`).join(', ') || 'none',
      hint: 'Get a fresh signing config from your instance, and check the clock of this machine.',
    })
  const selector: ServiceSelector = wish.selector ?? { selector: 'ANY' }
  if (selector.selector !== 'EXACT') return selector.selector === 'ALL' ? [first, ...rest] : [first]
  if (perOperator.length < selector.count)
    throw new TrustError('TRUST_SERVICE_COUNT', `the signing config asks for ${selector.count} services`, {
      check: 'service selection',
      expected: `${selector.count} services of different operators`,
      found: `${perOperator.length}`,
      hint: 'Ask who runs the instance to correct the signing config.',
    })
  return [first, ...rest.slice(0, selector.count - 1)]
}

export function signingConfigJson(config: SigningConfig): object {
  return {
    mediaType: config.mediaType,
    caUrls: config.caUrls.map(serviceJson),
    oidcUrls: config.oidcUrls.map(serviceJson),
    rekorTlogUrls: config.rekorTlogUrls.map(serviceJson),
    ...(config.rekorTlogConfig ? { rekorTlogConfig: selectorJson(config.rekorTlogConfig) } : {}),
    tsaUrls: config.tsaUrls.map(serviceJson),
    ...(config.tsaConfig ? { tsaConfig: selectorJson(config.tsaConfig) } : {}),
  }
}

/** Writes a signing config; compact, no newline. The caller keeps to contract/trust.md §1.4 and §1.8 (order, one service per kind). */
export function encodeSigningConfig(config: SigningConfig): string {
  return JSON.stringify(signingConfigJson(config))
}

function selectorJson(selector: ServiceSelector): object {
  return selector.selector === 'EXACT' ? { selector: 'EXACT', count: selector.count } : { selector: selector.selector }
}

function serviceJson(service: Service): object {
  return {
    url: service.url,
    majorApiVersion: service.majorApiVersion,
    ...(service.validFor ? { validFor: rangeJson(service.validFor) } : {}),
    ...(service.operator === '' ? {} : { operator: service.operator }),
  }
}
