import { nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { equalBytes } from '@touchmark/encoding'
import { requestTimestamp, send, serviceUrl } from '@touchmark/sign'
import { verifyTimestamp, type TimestampAuthority } from '@touchmark/timestamp'
import { isWithin, type Service, type TrustedRoot } from '@touchmark/trust'
import { parseCertificate } from '@touchmark/x509'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { readCaConfiguration } from '../identity/ca-configuration.js'
import { LogReader } from '../log-reader.js'
import { discoverProvider } from '../oidc/discovery.js'
import type { TrustedInstance } from '../trust-store.js'
import type { ClockSample } from './clock.js'
import { finding, ok, problem, type Finding } from './finding.js'

const STALE_SECONDS = 600

export interface ServiceFindings {
  readonly findings: readonly Finding[]
  /** Of a timestamp that was verified with the trusted root. */
  readonly stamp: ClockSample | undefined
}

/** Asks each service that the signing config names for what a signing needs of it; nothing is written to a log, and no certificate is asked for. */
export async function checkServices(context: CliContext, instance: TrustedInstance): Promise<ServiceFindings> {
  const { signingConfig, trustedRoot } = instance.config
  const now = context.clock.now()
  const current = (services: readonly Service[], version: number): string[] =>
    services
      .filter(({ majorApiVersion, validFor }) => majorApiVersion === version && isWithin(now, validFor))
      .map(({ url }) => url)
  let stamp: ClockSample | undefined
  const findings: Finding[] = [await checkReady(context, instance.url)]
  const each = async (check: string, urls: readonly string[], work: (url: string) => Promise<Finding>) => {
    if (urls.length === 0) findings.push(noService(check))
    for (const url of urls) findings.push(await finding(check, () => work(url)))
  }
  await each('CA', current(signingConfig.caUrls, 1), async (url) => {
    const { issuers } = await readCaConfiguration(context, url)
    return ok('CA', `${url} takes tokens of ${issuers.map((issuer) => issuer.url).join(', ') || 'nobody'}`)
  })
  await each('log', current(signingConfig.rekorTlogUrls, 2), (url) => checkLog(context, trustedRoot, url))
  await each('timestamps', current(signingConfig.tsaUrls, 1), async (url) => {
    const time = await stampedTime(context, trustedRoot, url)
    stamp ??= { by: new URL(url).host, aheadMs: context.clock.now().getTime() - time.getTime() - 500 }
    return ok('timestamps', `${url} gives good ones`)
  })
  await each('identity provider', current(signingConfig.oidcUrls, 1), async (url) => {
    await discoverProvider(url, context.http)
    return ok('identity provider', `${url} answers`)
  })
  return { findings, stamp }
}

function noService(check: string): Finding {
  const error = new CliError(
    'CLI_INSTANCE_ANSWER',
    `the signing config of the instance names no service of this kind`,
    {
      hint: 'Ask the operator of the instance.',
    },
  )
  return problem(check, error)
}

/** An instance behind a gateway need not show its readiness: only what it says is held against it. */
async function checkReady(context: CliContext, url: string): Promise<Finding> {
  return finding('health', async () => {
    const answer = await send('Touchmark instance', serviceUrl(url, '/readyz'), {}, context.http)
    return answer.status === 200
      ? ok('health', 'the instance is ready')
      : { check: 'health', state: 'not checked', says: `/readyz answered ${answer.status}` }
  })
}

/** The newest checkpoint, verified with the key of the trusted root, and not out of an old cache. */
async function checkLog(context: CliContext, root: TrustedRoot, url: string): Promise<Finding> {
  // The log of API v1 may have the same address: the newest log there is the one that is written to.
  const log = root.tlogs.findLast(({ baseUrl }) => baseUrl.replace(/\/+$/, '') === url.replace(/\/+$/, ''))
  if (log === undefined) {
    throw new CliError('CLI_TRUST_UNKNOWN', `the trusted root has no key of the log ${url}`, {
      hint: 'Ask the operator of the instance for a trust root that has it.',
    })
  }
  let age = 0
  const fetch: typeof context.http.fetch = async (address, init) => {
    const response = await context.http.fetch(address, init)
    age = Number(response.headers.get('age') ?? 0)
    return response
  }
  const reader = new LogReader({ ...context, http: { ...context.http, fetch } }, root, log.logId)
  const { checkpoint } = await reader.checkpoint()
  if (age > STALE_SECONDS) {
    throw new CliError('CLI_INSTANCE_STALE', `the checkpoint of ${url} is out of a cache`, {
      expected: `at most ${STALE_SECONDS} s old`,
      found: `${age} s old`,
      hint: 'Tell the operator: a cache in front of the log must not keep checkpoints.',
    })
  }
  return ok('log', `${url} has ${checkpoint.size} entries, under the trusted key`)
}

/** Has the authority stamp fresh random bytes, and verifies what it answers. The time is whole seconds. */
async function stampedTime(context: CliContext, root: TrustedRoot, url: string): Promise<Date> {
  const message = randomBytes(32)
  const nonce = Buffer.from(randomBytes(8)).readBigUInt64BE()
  const response = await requestTimestamp(url, message, { crypto: nodeCrypto, nonce, http: context.http })
  const authorities = root.timestampAuthorities.map(asAuthority)
  return verifyTimestamp({ response, message, authorities, crypto: nodeCrypto, nonce }).time
}

function asAuthority({ certificates, validFor }: TrustedRoot['timestampAuthorities'][number]): TimestampAuthority {
  const [leaf, ...rest] = certificates.map((der) => parseCertificate(der))
  const root = rest.at(-1) ?? leaf!
  const intermediates = rest.slice(0, -1).filter((one) => !equalBytes(one.der, leaf!.der))
  return { leaf: leaf!, intermediates, root, ...(validFor === undefined ? {} : { validFor }) }
}
