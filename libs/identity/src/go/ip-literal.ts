/** True for an IPv6 address, with a zone or not, as it may stand in brackets in a URL. */
export function isIpv6Literal(text: string): boolean {
  const [address = '', ...zone] = text.split('%')
  if (zone.length > 0 && zone.join('%') === '') return false
  const halves = address.split('::')
  if (halves.length > 2) return false
  const left = groupsOf(halves[0]!, halves.length === 1)
  const right = halves.length === 2 ? groupsOf(halves[1]!, true) : 0
  if (left === undefined || right === undefined) return false
  return halves.length === 2 ? left + right < 8 : left === 8
}

/** How many 16-bit groups a half stands for, or undefined; an IPv4 tail counts as two. */
function groupsOf(half: string, last: boolean): number | undefined {
  if (half === '') return 0
  const parts = half.split(':')
  let groups = 0
  for (const [index, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups++
    else if (last && index === parts.length - 1 && isIpv4Literal(part)) groups += 2
    else return undefined
  }
  return groups
}

/** True for an IPv4 address in four decimal parts without leading zeros. */
export function isIpv4Literal(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
}
