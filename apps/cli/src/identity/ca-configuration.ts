import type { IssuerConfig, IssuerConfiguration } from '@touchmark/identity'
import { parseJson, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { excerpt, send, serviceUrl } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'

const MOST_ISSUERS = 1000

/**
 * What a CA says of the issuers whose tokens it takes: `/api/v2/configuration` (ca.md §2). The templates of CI systems are not in it.
 * Throws CLI_INSTANCE_ANSWER and SIGN_SERVICE_*.
 */
export async function readCaConfiguration(context: CliContext, caUrl: string): Promise<IssuerConfiguration> {
  const url = serviceUrl(caUrl, '/api/v2/configuration')
  const answer = await send('certificate authority', url, { headers: { accept: 'application/json' } }, context.http)
  if (answer.status !== 200)
    throw unreadable(`it answered ${answer.status} to /api/v2/configuration`, excerpt(answer.body))
  return parseCaConfiguration(answer.body)
}

/** Parses the answer. Throws CLI_INSTANCE_ANSWER. */
export function parseCaConfiguration(body: Uint8Array): IssuerConfiguration {
  let value: JsonValue
  try {
    value = parseJson(body, { trailing: 'refuse' })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw unreadable('its configuration is not JSON', cause.message)
  }
  const issuers = object(value)?.['issuers']
  if (!Array.isArray(issuers) || issuers.length > MOST_ISSUERS)
    throw unreadable('its configuration lists no issuers', 'another JSON document')
  return { issuers: issuers.map(readIssuer), ciProviders: new Map(), warnings: [] }
}

function readIssuer(value: JsonValue): IssuerConfig {
  const issuer = object(value)
  if (issuer === undefined) throw unreadable('its configuration lists no issuers', 'something else in the list')
  const text = (name: string): string => {
    const member = issuer[name]
    return typeof member === 'string' ? member : ''
  }
  const wildcard = text('wildcardIssuerUrl')
  return {
    url: wildcard === '' ? text('issuerUrl') : wildcard,
    wildcard: wildcard !== '',
    clientId: text('audience'),
    type: text('issuerType'),
    ciProvider: '',
    issuerClaim: undefined,
    subjectDomain: text('subjectDomain'),
    spiffeTrustDomain: text('spiffeTrustDomain'),
    challengeClaim: text('challengeClaim'),
    caCert: '',
    skipEmailVerification: issuer['skipEmailVerification'] === true,
  }
}

function object(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Readonly<Record<string, JsonValue>>)
    : undefined
}

function unreadable(what: string, found: string): CliError {
  return new CliError('CLI_INSTANCE_ANSWER', `the certificate authority does not say which tokens it takes: ${what}`, {
    found,
  })
}
