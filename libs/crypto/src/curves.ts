import { bytesToBigInt, mod, modInverse } from './big-integers.js'
import type { Curve } from './types.js'

/** A short Weierstrass curve y² = x³ - 3x + b over a prime field, of prime order (FIPS 186-4 §D.1.2). */
export interface CurveParameters {
  readonly oid: string
  /** Bytes of one coordinate. */
  readonly bytes: number
  readonly p: bigint
  readonly n: bigint
  readonly b: bigint
}

export interface Point {
  readonly x: bigint
  readonly y: bigint
}

export const CURVES: Readonly<Record<Curve, CurveParameters>> = {
  'P-256': {
    oid: '1.2.840.10045.3.1.7',
    bytes: 32,
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  'P-384': {
    oid: '1.3.132.0.34',
    bytes: 48,
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  'P-521': {
    oid: '1.3.132.0.35',
    bytes: 66,
    p: 2n ** 521n - 1n,
    n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
}

/** Known so that its keys can be told from garbage; never used. */
export const P224: CurveParameters = {
  oid: '1.3.132.0.33',
  bytes: 28,
  p: 2n ** 224n - 2n ** 96n + 1n,
  n: 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn,
  b: 0xb4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4n,
}

/** The affine point of an uncompressed encoding 04 || x || y (SEC 1 §2.3.4), or undefined: other form, coordinate not below p, off the curve. */
export function decodePoint(curve: CurveParameters, encoded: Uint8Array): Point | undefined {
  const { bytes, p, b } = curve
  if (encoded.length !== 1 + 2 * bytes || encoded[0] !== 4) return undefined
  const x = bytesToBigInt(encoded.subarray(1, 1 + bytes))
  const y = bytesToBigInt(encoded.subarray(1 + bytes))
  if (x >= p || y >= p) return undefined
  return (y * y - (x * x - 3n) * x - b) % p === 0n ? { x, y } : undefined
}

/** The sum of two points of the curve; undefined is the point at infinity. Public values only. */
export function addPoints(curve: CurveParameters, left: Point, right: Point): Point | undefined {
  const { p } = curve
  if (left.x === right.x && left.y !== right.y) return undefined
  // Equal points take the tangent. On a curve of odd order no point has y = 0, so its slope always exists.
  const slope =
    left.x === right.x
      ? (3n * left.x * left.x - 3n) * modInverse(2n * left.y, p)
      : (right.y - left.y) * modInverse(right.x - left.x, p)
  const reduced = mod(slope, p)
  const x = mod(reduced * reduced - left.x - right.x, p)
  return { x, y: mod(reduced * (left.x - x) - left.y, p) }
}
