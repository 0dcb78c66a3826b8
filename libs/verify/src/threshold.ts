/** Who vouches: an address, and the key in hexadecimal. */
export interface Voucher {
  readonly name: string
  readonly keyHex: string
}

/**
 * How many different authorities these are. One authority may stand in a root under two addresses, or with two keys under one address:
 * neither makes it two (sigstore-go CVE-2026-49834; reliability.md V3).
 */
export function distinctAuthorities(vouchers: readonly Voucher[]): number {
  const names = new Set(vouchers.map(({ name }) => name))
  const keys = new Set(vouchers.map(({ keyHex }) => keyHex))
  return Math.min(names.size, keys.size)
}
