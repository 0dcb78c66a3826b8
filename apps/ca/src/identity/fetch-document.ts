import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { rootCertificates } from 'node:tls'
import { CaError } from '../errors.js'
import { isAllowedAddress, type AddressRule } from './address-rule.js'

export interface FetchRules {
  readonly addresses: AddressRule
  /** PEM, trusted beside the built-in roots; empty for none. */
  readonly caCert: string
  readonly signal: AbortSignal
}

/**
 * Gets a document over HTTP or HTTPS. Redirects are followed within the same scheme, host and port only. The answer MUST be 200 and at most
 * 256 KiB. The connection goes to an address that was checked against the rule, never to one looked up again. Throws CA_ISSUER_UNAVAILABLE.
 */
export type FetchDocument = (url: URL, rules: FetchRules) => Promise<Uint8Array>

/** Resolves a host name to all its addresses. */
export type ResolveHost = (host: string) => Promise<readonly LookupAddress[]>

const MAX_DOCUMENT_BYTES = 256 * 1024
const MAX_REDIRECTS = 5

function unavailable(why: string, cause?: unknown): CaError {
  return new CaError('CA_ISSUER_UNAVAILABLE', why, cause === undefined ? {} : { cause })
}

const resolveBySystem: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)))
  })

/** The real one. `resolve` is the system's resolver unless a test brings its own. */
export function createFetchDocument(resolve: ResolveHost = resolveBySystem): FetchDocument {
  return async (url, rules) => {
    let at = url
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await fetchOnce(at, rules, resolve)
      if (answer.body !== undefined) return answer.body
      const next = URL.canParse(answer.location, at.href) ? new URL(answer.location, at) : undefined
      // Fulcio CVE-2026-49478: a redirect may not choose who is asked, nor drop TLS.
      if (next?.origin !== at.origin) throw unavailable(`${at.origin} redirects to another host`)
      at = next
    }
    throw unavailable(`${url.origin} redirects more than ${MAX_REDIRECTS} times`)
  }
}

type Answer = { readonly body: Uint8Array } | { readonly body: undefined; readonly location: string }

/** Every address of a name must be allowed: one that is not says that somebody plays with the name. */
function checkedLookup(rules: FetchRules, resolve: ResolveHost): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        const refused = addresses.find(({ address }) => !isAllowedAddress(address, rules.addresses))
        const [first] = addresses
        if (refused !== undefined) return callback(refusedAddress(host), '', 4)
        if (first === undefined) return callback(unavailable(`${host} has no address`), '', 4)
        // Node connects to what is handed back here and does not resolve again: the address checked is the address used.
        if (options.all === true) return callback(null, [...addresses])
        callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 4),
    )
  }
}

function refusedAddress(host: string): CaError {
  return unavailable(`${host} has an address that must not be asked`)
}

function fetchOnce(url: URL, rules: FetchRules, resolve: ResolveHost): Promise<Answer> {
  const secure = url.protocol === 'https:'
  if (!secure && url.protocol !== 'http:') throw unavailable(`${url.protocol} is not HTTP`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  // Node does not look a literal address up, so it is checked here.
  if (isIP(host) !== 0 && !isAllowedAddress(host, rules.addresses)) throw refusedAddress(host)
  const options: RequestOptions & { ca?: string[]; minVersion?: 'TLSv1.2' } = {
    method: 'GET',
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    lookup: checkedLookup(rules, resolve),
    // No pool: a connection of another issuer, checked by another rule, is never used again.
    agent: false,
    signal: rules.signal,
    maxHeaderSize: 16 * 1024,
    ...(secure ? { minVersion: 'TLSv1.2' as const } : {}),
    ...(secure && rules.caCert !== '' ? { ca: [...rootCertificates, rules.caCert] } : {}),
  }
  return new Promise((settle, reject) => {
    const fail = (error: unknown): void =>
      reject(error instanceof CaError ? error : unavailable(`${url.origin} does not answer`, error))
    const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      readAnswer(url, response).then(settle, (error: unknown) => {
        request.destroy()
        fail(error)
      })
    })
    request.on('error', fail)
    request.end()
  })
}

async function readAnswer(url: URL, response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0
  const { location } = response.headers
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    response.destroy()
    return { body: undefined, location }
  }
  if (status !== 200) throw unavailable(`${url.origin} answers with status ${status}`)
  if (Number(response.headers['content-length'] ?? 0) > MAX_DOCUMENT_BYTES) throw tooLarge(url)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_DOCUMENT_BYTES) throw tooLarge(url)
    chunks.push(chunk)
  }
  return { body: Buffer.concat(chunks, size) }
}

function tooLarge(url: URL): CaError {
  return unavailable(`${url.origin} answers with more than ${MAX_DOCUMENT_BYTES} bytes`)
}
