import type { Authority, LogInstance, TrustedRoot } from '@touchmark/trust'
import { encodeTrustedRoot } from '@touchmark/trust'
import { hexEncode } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { printJson, rows } from '../output.js'
import { fingerprintText, instanceUrl, trustInstance, useInstance, type InstanceOptions } from '../trust-store.js'

/** `touchmark trust show`: whom this machine trusts, in words or as the file other clients take. */
export async function trustShow(context: CliContext, options: InstanceOptions & { raw?: boolean }): Promise<void> {
  const instance = await trustInstance(context, options)
  if (options.raw === true) return context.out(`${encodeTrustedRoot(instance.config.trustedRoot)}\n`)
  const root = instance.config.trustedRoot
  if (context.json)
    return printJson(context, {
      instance: instance.url,
      fingerprint: fingerprintText(instance.fingerprint),
      ...summary(root),
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
  const { certificateAuthorities, signatureLogs, certificateLogs, timestampAuthorities } = summary(root)
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

function summary(root: TrustedRoot): Summary {
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
    signatureLogs: root.tlogs.map(log),
    certificateLogs: root.ctlogs.map(log),
    timestampAuthorities: root.timestampAuthorities.map(authority),
  }
}
