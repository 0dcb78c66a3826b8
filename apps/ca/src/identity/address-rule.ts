import { BlockList, isIP } from 'node:net'

/**
 * Which addresses may be asked. `any`: a configured issuer may be anywhere, loopback too. `not-link-local`: another host that its document
 * names; cloud metadata lives there. `public`: wildcard issuers, whose host is partly the token's choice.
 */
export type AddressRule = 'any' | 'not-link-local' | 'public'

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix = '0'] = range.split('/')
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

// Unspecified, link-local, multicast, broadcast; fd00:ec2::254 is a cloud's metadata service.
const LINK_LOCAL = ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::/32']
const linkLocal = blockList(LINK_LOCAL)

// IANA special-purpose registries: what is not globally reachable.
const notPublic = blockList([
  ...LINK_LOCAL,
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
])
/** All global unicast there is; everything else of IPv6, IPv4 in disguise (::ffff:0:0/96, 64:ff9b::/96) included, is not public. */
const globalUnicast = blockList(['2000::/3'])

/** True when an IP address (text form, without brackets) may be connected to under the rule. */
export function isAllowedAddress(address: string, rule: AddressRule): boolean {
  const version = isIP(address)
  if (version === 0) return false
  if (rule === 'any') return true
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (rule === 'not-link-local') return !linkLocal.check(address, family)
  if (version === 6 && !globalUnicast.check(address, 'ipv6')) return false
  return !notPublic.check(address, family)
}
