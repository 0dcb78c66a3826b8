import { describe, expect, it } from '@jest/globals'
import { encodeByteaArray, encodeInt2Array, encodeInt8Array } from './binary-array.js'

// What array_send() of PostgreSQL 15 gives for these arrays. That the server takes ours is tested with the ledger.
describe('binary arrays', () => {
  it('of bytea', () => {
    const { buffer, elements } = encodeByteaArray([Uint8Array.of(1, 2), undefined, new Uint8Array(0)])
    expect(buffer.toString('hex')).toBe(
      '000000010000000100000011000000030000000100000002' + '0102' + 'ffffffff' + '00000000',
    )
    expect(elements.map((element) => element?.toString('hex'))).toEqual(['0102', undefined, ''])
  })

  it('of bytea share their elements with what is sent', () => {
    const { buffer, elements } = encodeByteaArray([Uint8Array.of(7)])
    elements[0]![0] = 8
    expect(buffer.at(-1)).toBe(8)
  })

  it('of bigint and smallint', () => {
    expect(encodeInt8Array([1n, -2n]).toString('hex')).toBe(
      '0000000100000000000000140000000200000001' + '000000080000000000000001' + '00000008fffffffffffffffe',
    )
    expect(encodeInt2Array([3]).toString('hex')).toBe('0000000100000000000000150000000100000001' + '000000020003')
  })

  it('of nothing', () => {
    expect(encodeByteaArray([]).buffer.toString('hex')).toBe('000000000000000000000011')
    expect(encodeInt8Array([]).toString('hex')).toBe('000000000000000000000014')
    expect(encodeInt2Array([]).toString('hex')).toBe('000000000000000000000015')
  })
})
