import { describe, expect, it } from '@jest/globals'
import { isAllowedAddress } from './address-rule.js'

describe('addresses', () => {
  it.each(['8.8.8.8', '2001:4860:4860::8888', '100.63.255.255', '172.32.0.1', '192.169.0.1', '2606:4700::1'])(
    '%s is public',
    (address) => {
      expect(isAllowedAddress(address, 'public')).toBe(true)
      expect(isAllowedAddress(address, 'not-link-local')).toBe(true)
    },
  )

  it.each([
    '10.0.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '198.18.0.1',
    '192.0.2.1',
    '203.0.113.1',
    '::1',
    'fc00::1',
    'fd12:3456::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '64:ff9b::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::7f00:1',
    '2001::1',
    'fec0::1',
  ])('%s is not, but a configured issuer may name it', (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(false)
    expect(isAllowedAddress(address, 'not-link-local')).toBe(true)
  })

  it.each([
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '240.0.0.1',
    'fe80::1',
    'ff02::1',
    '::',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
  ])('%s is link-local or worse, and only a configured host itself may be there', (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(false)
    expect(isAllowedAddress(address, 'not-link-local')).toBe(false)
    expect(isAllowedAddress(address, 'any')).toBe(true)
  })

  it.each(['', 'localhost', '127.1', '0x7f.1', '256.1.1.1', '[::1]'])('%j is no address', (text) => {
    expect(isAllowedAddress(text, 'any')).toBe(false)
  })
})
