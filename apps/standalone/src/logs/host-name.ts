/** The host name in a Host header: without port and final dot, in lower case. */
export function hostNameOf(header: string | undefined): string {
  if (header === undefined) return ''
  const colon = header.lastIndexOf(':')
  const name = (colon < 0 ? header : header.slice(0, colon)).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}
