const TRUST_DOMAIN = /^[a-z0-9\-._]+$/
const SEGMENT = /^[A-Za-z0-9\-._]+$/

/** The trust domain of a SPIFFE ID (`spiffe://domain/path`), or undefined when it is none (SPIFFE-ID §2). */
export function trustDomainOfId(id: string): string | undefined {
  if (!id.startsWith('spiffe://')) return undefined
  const [domain = '', ...segments] = id.slice('spiffe://'.length).split('/')
  const good = segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
  return good && TRUST_DOMAIN.test(domain) ? domain : undefined
}

/** A trust domain as a configuration may write it, `example.org` or a SPIFFE ID in it; undefined when it is neither. */
export function parseTrustDomain(text: string): string | undefined {
  if (text.includes(':/')) return trustDomainOfId(text)
  return TRUST_DOMAIN.test(text) ? text : undefined
}
