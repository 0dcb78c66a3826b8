const UNRESERVED = /^[A-Za-z0-9._~-]$/

/**
 * The path and query that a request is for, in one spelling; undefined when its escapes are broken (Express would answer those with an error of its
 * own). An absolute form (RFC 9112 §3.2.2) loses its host, which counts no more than the Host header; slashes at the start become one, since
 * clients put their paths behind a base URL that may end in one; escapes of unreserved characters are undone (RFC 3986 §6.2.2.2).
 */
export function normalTarget(target: string): string | undefined {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const question = local.indexOf('?')
  const path = question < 0 ? local : local.slice(0, question)
  const query = question < 0 ? '' : local.slice(question)
  const normal = path.includes('%') ? withoutNeedlessEscapes(path) : path
  if (normal === undefined) return undefined
  return normal.replace(/^\/{2,}|^$/, '/') + query
}

function withoutNeedlessEscapes(path: string): string | undefined {
  try {
    decodeURIComponent(path)
  } catch {
    return undefined
  }
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return UNRESERVED.test(character) ? character : escape
  })
}
