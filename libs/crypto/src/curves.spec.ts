import { p256, p384, p521 } from '@noble/curves/nist.js'
import { describe, expect, it } from '@jest/globals'
import { addPoints, CURVES, decodePoint, P224 } from './curves.js'
import type { Curve } from './types.js'

const NOBLE = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

describe.each(Object.keys(CURVES) as Curve[])('%s', (name) => {
  const curve = CURVES[name]
  const { Point } = NOBLE[name]
  const affine = (factor: bigint) => {
    const { x, y } = Point.BASE.multiply(factor).toAffine()
    return { x, y }
  }

  it('has the parameters that noble has', () => {
    const { p, n, b } = Point.CURVE()
    expect({ p: curve.p, n: curve.n, b: curve.b }).toEqual({ p, n, b })
  })

  it('decodes a point and refuses its neighbours', () => {
    const encoded = Point.BASE.toBytes(false)
    expect(decodePoint(curve, encoded)).toEqual(affine(1n))
    expect(decodePoint(curve, Point.BASE.toBytes(true))).toBeUndefined()
    expect(decodePoint(curve, encoded.subarray(0, -1))).toBeUndefined()
    expect(decodePoint(curve, Uint8Array.of(...encoded, 0))).toBeUndefined()
    expect(decodePoint(curve, Uint8Array.of(6, ...encoded.subarray(1)))).toBeUndefined()
    expect(decodePoint(curve, Uint8Array.of(0))).toBeUndefined()
    for (const at of [1, curve.bytes, curve.bytes + 1, 2 * curve.bytes]) {
      const off = Uint8Array.from(encoded)
      off[at]! ^= 1
      expect(decodePoint(curve, off)).toBeUndefined()
    }
  })

  it('adds as noble does: chord, tangent, infinity', () => {
    expect(addPoints(curve, affine(5n), affine(11n))).toEqual(affine(16n))
    expect(addPoints(curve, affine(7n), affine(7n))).toEqual(affine(14n))
    expect(addPoints(curve, affine(7n), affine(curve.n - 7n))).toBeUndefined()
  })
})

it('refuses a coordinate that is not below the field prime though it is right modulo it', () => {
  // P-521, because its 66 bytes have room for p + x.
  const curve = CURVES['P-521']
  let x = 0n
  let y: bigint | undefined
  for (; y === undefined; x++) {
    const square = (x * x * x - 3n * x + curve.b) % curve.p
    const root = p521.Point.Fp.pow(square < 0n ? square + curve.p : square, (curve.p + 1n) / 4n)
    if ((root * root - square) % curve.p === 0n) y = root
  }
  const encode = (value: bigint) => value.toString(16).padStart(132, '0')
  const at = (abscissa: bigint) => Uint8Array.from(Buffer.from(`04${encode(abscissa)}${encode(y)}`, 'hex'))
  expect(decodePoint(curve, at(x - 1n))).toBeDefined()
  expect(decodePoint(curve, at(x - 1n + curve.p))).toBeUndefined()
})

it('knows the base point of P-224', () => {
  const base =
    '04b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34'
  expect(decodePoint(P224, Uint8Array.from(Buffer.from(base, 'hex')))).toBeDefined()
})
