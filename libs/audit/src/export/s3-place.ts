import { AuditError } from '../errors.js'

/** A bucket, or a part of one, behind an S3-compatible address. */
export interface S3Place {
  /** Address of the service, without a slash at its end. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** Empty, or segments with a slash behind each. */
  readonly prefix: string
}

/** Amazon's rules for new buckets; a name that fits can stand in a path as it is. */
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** Characters that no URL parser changes and no signer escapes; `.` and `..` alone would be taken out of the path. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/
const MAX_PREFIX = 512
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/** True for what names an S3-compatible target instead of a folder. */
export function isS3Name(text: string): boolean {
  return /^s3:/i.test(text)
}

/**
 * Parses `s3://BUCKET[/PREFIX]` with the service it is at; without an address that is Amazon's of the region. What is sent is signed and not secret, but an answer in
 * plain HTTP could be anybody's: only a loopback address may do without TLS. Throws AUDIT_TARGET_INVALID.
 */
export function parseS3Place(name: string, options: { endpoint?: string; region?: string } = {}): S3Place {
  const match = /^s3:\/\/([^/]*)(?:\/(.*))?$/.exec(name)
  const bucket = match?.[1] ?? ''
  if (!BUCKET.test(bucket)) throw invalid(`an S3 target is s3://BUCKET or s3://BUCKET/PREFIX, not ${shown(name)}`)
  const segments = (match?.[2] ?? '').replace(/\/$/, '').split('/')
  const none = segments.length === 1 && segments[0] === ''
  if (!none && (name.length > MAX_PREFIX || !segments.every((segment) => SEGMENT.test(segment)))) {
    throw invalid(
      `the prefix of an S3 target has letters, digits, '.', '_' and '-' between its slashes: ${shown(name)}`,
    )
  }
  const { endpoint, region } = options
  if (region !== undefined && !/^[a-z0-9-]{1,32}$/.test(region)) throw invalid(`${shown(region)} is no region`)
  if (endpoint === undefined && region === undefined) {
    throw invalid('an S3 target needs the region of the bucket, or the address of the store')
  }
  return {
    endpoint: endpoint === undefined ? `https://s3.${region}.amazonaws.com` : parseEndpoint(endpoint),
    region: region ?? 'us-east-1',
    bucket,
    prefix: none ? '' : `${segments.join('/')}/`,
  }
}

function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid(`the address of an S3-compatible store is https://HOST, not ${shown(text)}`)
  }
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') {
    // Not shown: it may hold a password.
    throw invalid('the address of an S3-compatible store has no user, query or fragment')
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    throw invalid(`${shown(text)} is not https: only a store on this machine may do without`)
  }
  const path = url.pathname.replace(/\/+$/, '')
  if (
    path !== '' &&
    !path
      .slice(1)
      .split('/')
      .every((segment) => SEGMENT.test(segment))
  ) {
    throw invalid(`the path of ${shown(text)} has letters, digits, '.', '_' and '-' between its slashes`)
  }
  return `${url.origin}${path}`
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}

function invalid(message: string): AuditError {
  return new AuditError('AUDIT_TARGET_INVALID', message)
}
