// The rule Fulcio has (ca.md §5, `email`), written so that it takes linear time on any input.
const BEYOND_ASCII = '\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}'
const ATOM = new RegExp(`^[A-Za-z0-9!#$%&'*+\\-/=?^_\`{|}~${BEYOND_ASCII}]+$`, 'u')
const DOMAIN = new RegExp(`^[A-Za-z0-9\\-._~${BEYOND_ASCII}]+$`, 'u')
const DOMAIN_END = new RegExp(`^[A-Za-z0-9${BEYOND_ASCII}]$`, 'u')
const TOP = new RegExp(`^[A-Za-z0-9\\-_~${BEYOND_ASCII}]+$`, 'u')
const TOP_END = new RegExp(`^[A-Za-z${BEYOND_ASCII}]$`, 'u')

/**
 * True for an address as an email issuer may name it: a dot-atom, `@`, and a host with a dot whose last label begins and ends with a letter.
 * No quoted form, no IP address, no display name; one dot at the end passes; lengths are not looked at.
 */
export function isEmailAddress(text: string): boolean {
  const at = text.indexOf('@')
  if (
    at < 0 ||
    !text
      .slice(0, at)
      .split('.')
      .every((atom) => ATOM.test(atom))
  )
    return false
  const host = text.slice(at + 1).replace(/\.$/, '')
  const dot = host.lastIndexOf('.')
  return dot >= 0 && fits(host.slice(0, dot), DOMAIN, DOMAIN_END) && fits(host.slice(dot + 1), TOP, TOP_END)
}

function fits(label: string, whole: RegExp, end: RegExp): boolean {
  if (!whole.test(label)) return false
  const chars = [...label]
  return end.test(chars[0]!) && end.test(chars.at(-1)!)
}
