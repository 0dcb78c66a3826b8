import { expect, it } from '@jest/globals'
import { derSequence, hexDecode } from '@touchmark/encoding'
import * as encode from './encode.js'
import { readExtensions } from './extensions.js'

it('extensions are read in order, and refused as bad DER when one comes twice', () => {
  const one = encode.extension('1.2.3', true, hexDecode('05'))
  const other = encode.extension('1.2.4', false, hexDecode('06'))
  const read = readExtensions(derSequence(other, one))
  expect([...read.values()].map(({ oid, critical }) => [oid, critical])).toEqual([
    ['1.2.4', false],
    ['1.2.3', true],
  ])
  expect(read.get('1.2.3')).toMatchObject({ value: hexDecode('05'), bytes: one })
  expect(() => readExtensions(derSequence(one, other, one))).toThrowCode('DER_INVALID')
})
