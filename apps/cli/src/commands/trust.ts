import type { Authority, ClientTrustConfig, LogInstance, Service } from '@touchmark/trust'
import { encodeTrustedRoot } from '@touchmark/trust'
import { hexEncode } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { printJson, rows } from '../output.js'
import { fingerprintText, instanceUrl, trustInstance, useInstance, type InstanceOptions } from '../trust-store.js'

/** `touchmark trust show`: whom this machine trusts, in words or as the file other clients take. */
export async function trustShow(context: CliContext, options: InstanceOptions & { raw?: boolean }): Promise<void> {
  const instance = await trustInstance(context, options)
  if (options.raw === true) return context.out(`${encodeTrustedRoot(instance.config.trustedRoot)}\n`)
  if (context.json)
    return printJson(context, {
      instance: instance.url,
      fingerprint: fingerprintText(instance.fingerprint),
      ...summary(instance.config),
    })
  context.out(
    `${rows(
      [
        ['instance', instance.url],
        ['fingerprint', fingerprintText(instance.fingerprint)],
      ],
      '',
    )}\n`,
  )
  const { certificateAuthorities, signatureLogs, certificateLogs, timestampAuthorities } = summary(instance.config)
  for (const [title, list] of Object.entries({
    'certificate authority': certificateAuthorities,
    'signature log': signatureLogs,
    'certificate log': certificateLogs,
    'timestamp authority': timestampAuthorities,
  })) {
    for (const item of list) context.out(`${title}\n${rows(Object.entries(item))}`)
  }
}

/** `touchmark trust use URL`. */
export async function trustUse(
  context: CliContext,
  url: string,
  options: { replace?: string; rootFingerprint?: string },
): Promise<void> {
  const { instance, was } = await useInstance(context, await instanceUrl(context, { instance: url }), options)
  const said = { instance: instance.url, fingerprint: fingerprintText(instance.fingerprint), first: was === 'new', was }
  if (context.json) return printJson(context, said)
  context.out(
    rows(
      [
        ['instance', said.instance],
        ['fingerprint', said.fingerprint],
      ],
      '',
    ),
  )
  context.out(SAID[was])
}

const SAID = {
  new: 'This was its first use here, so nothing vouches for the root but the connection: compare the fingerprint with the one you were told.\n',
  same: 'The root is the one that was trusted before.\n',
  replaced: 'The root is not the one that was trusted before: that one is forgotten.\n',
} as const

interface Summary {
  certificateAuthorities: Record<string, string>[]
  signatureLogs: Record<string, string>[]
  certificateLogs: Record<string, string>[]
  timestampAuthorities: Record<string, string>[]
}

function summary({ trustedRoot: root, signingConfig }: ClientTrustConfig): Summary {
  const apis = apisOf(root.tlogs, signingConfig.rekorTlogUrls)
  const range = (from: Date | undefined, to: Date | undefined): string =>
    `${from?.toISOString() ?? 'ever'} to ${to?.toISOString() ?? 'now'}`
  const log = (one: LogInstance): Record<string, string> => ({
    url: one.baseUrl,
    id: hexEncode(one.logId),
    key: one.publicKey.keyDetails,
    valid: range(one.publicKey.validFor.start, one.publicKey.validFor.end),
  })
  const authority = (one: Authority): Record<string, string> => ({
    subject: [one.subject.organization, one.subject.commonName].filter((part) => part !== '').join(', '),
    url: one.uri,
    certificates: String(one.certificates.length),
    valid: range(one.validFor?.start, one.validFor?.end),
  })
  return {
    certificateAuthorities: root.certificateAuthorities.map(authority),
    signatureLogs: root.tlogs.map((one) => ({ ...log(one), ...apis.get(one) })),
    certificateLogs: root.ctlogs.map(log),
    timestampAuthorities: root.timestampAuthorities.map(authority),
  }
}

/**
 * Which API the logs speak that are written to. A trusted root does not say it, and one address can have a log of each; the signing config names the
 * versions at an address, and an instance lists its logs with API v1 first. Of a log that has ended, or that the config does not name, nothing is said.
 */
function apisOf(logs: readonly LogInstance[], services: readonly Service[]): Map<LogInstance, { api: string }> {
  const bare = (url: string): string => url.replace(/\/+$/, '')
  const apis = new Map<LogInstance, { api: string }>()
  for (const url of new Set(logs.map(({ baseUrl }) => bare(baseUrl)))) {
    const open = logs.filter((one) => bare(one.baseUrl) === url && one.publicKey.validFor.end === undefined)
    const named = services.filter((one) => bare(one.url) === url && one.validFor?.end === undefined)
    const versions = [...new Set(named.map((one) => one.majorApiVersion))].sort((a, b) => a - b)
    if (open.length === versions.length) open.forEach((one, at) => apis.set(one, { api: `v${versions[at]!}` }))
  }
  return apis
}
