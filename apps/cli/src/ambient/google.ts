import { readFile } from 'node:fs/promises'
import { send, type HttpAnswer } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { askPlain, askService, memberOf } from './ask-service.js'
import { ABSENT, READY, variable, type AmbientOutside, type AmbientProvider } from './provider.js'

const METADATA = 'metadata server of Google Cloud'
const IAM = 'credentials service of Google Cloud'
const IAM_URL = 'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts'
const ACCOUNT = 'computeMetadata/v1/instance/service-accounts/default'
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const FLAVOR = { 'metadata-flavor': 'Google' }
const PROBE_MS = 1000

/**
 * Google Cloud: the metadata server of the machine; with GOOGLE_SERVICE_ACCOUNT_NAME, a token of that service account, for which the machine's own one
 * must have the role of a token creator. GCE_METADATA_HOST names another metadata server, as for Google's own clients.
 */
export const google: AmbientProvider = {
  name: 'google',
  async detect(outside) {
    if (variable(outside, 'GOOGLE_SERVICE_ACCOUNT_NAME') !== undefined) return READY
    if (variable(outside, 'GCE_METADATA_HOST') === undefined && !(await isGoogleMachine(outside))) return ABSENT
    // A machine of Google's need not have a service account; whoever works there then logs in as elsewhere.
    const probe = { ...outside.http, tries: 1, timeoutMs: Math.min(outside.http.timeoutMs, PROBE_MS) }
    const has = await send(METADATA, metadataUrl(outside, 'email'), { headers: FLAVOR }, probe).then(
      (answer) => answer.status === 200 && isMetadata(answer),
      () => false,
    )
    return has ? READY : ABSENT
  },
  async token(outside, audience) {
    const account = variable(outside, 'GOOGLE_SERVICE_ACCOUNT_NAME')
    if (account !== undefined) return impersonated(outside, audience, account)
    const query = new URLSearchParams({ audience, format: 'full' })
    const answer = await askMetadata(outside, `identity?${query.toString()}`)
    return new TextDecoder().decode(answer.body).trim()
  },
}

async function impersonated(outside: AmbientOutside, audience: string, account: string): Promise<string> {
  const query = new URLSearchParams({ scopes: SCOPE })
  const bearer = memberOf(METADATA, await askMetadata(outside, `token?${query.toString()}`), 'access_token')
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ audience, includeEmail: true }),
  }
  const answer = await askService(IAM, `${IAM_URL}/${encodeURIComponent(account)}:generateIdToken`, init, outside)
  return memberOf(IAM, answer, 'token')
}

async function askMetadata(outside: AmbientOutside, path: string): Promise<HttpAnswer> {
  const answer = await askPlain(METADATA, metadataUrl(outside, path), { headers: FLAVOR }, outside)
  if (isMetadata(answer)) return answer
  throw new CliError('CLI_AMBIENT_REFUSED', `something else than the ${METADATA} answered`, {
    expected: 'the header Metadata-Flavor: Google',
  })
}

/** The header by which the real one is told from whatever else answers to its name. */
function isMetadata(answer: HttpAnswer): boolean {
  return answer.headers.get('metadata-flavor') === 'Google'
}

function metadataUrl(outside: AmbientOutside, path: string): string {
  return `http://${variable(outside, 'GCE_METADATA_HOST') ?? 'metadata.google.internal'}/${ACCOUNT}/${path}`
}

async function isGoogleMachine(outside: AmbientOutside): Promise<boolean> {
  const name = await readFile(outside.places.productName, 'utf8').catch(() => '')
  return ['Google', 'Google Compute Engine'].includes(name.trim())
}
