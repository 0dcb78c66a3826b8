import { beforeAll, describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { CryptoPort } from '@touchmark/crypto'
import { leafOf } from './known-leaves.js'
import { TestInstance } from './testing/instance.js'

let leaf: Uint8Array
const port = (): CryptoPort => ({ ...nodeCrypto })

beforeAll(async () => {
  leaf = (await TestInstance.create()).caChain[0].der
})

describe('leafOf', () => {
  it('reads the same bytes once, for each port', () => {
    const [one, other] = [port(), port()]
    const first = leafOf(leaf, one)
    expect(leafOf(Uint8Array.from(leaf), one)).toBe(first)
    expect(leafOf(leaf, other)).not.toBe(first)
  })

  it('never gives a certificate for other bytes, whichever bit differs', () => {
    const crypto = port()
    const first = leafOf(leaf, crypto)
    for (let at = 0; at < leaf.length; at += 7) {
      const other = Uint8Array.from(leaf)
      other[at]! ^= 1
      let found: unknown
      try {
        found = leafOf(other, crypto)
      } catch {
        continue
      }
      expect(found).not.toBe(first)
    }
  })

  it('keeps its own bytes: those of the caller may change', () => {
    const crypto = port()
    const mine = Uint8Array.from(leaf)
    const certificate = leafOf(mine, crypto)
    mine.fill(0)
    expect(certificate.der).toEqual(leaf)
    expect(() => leafOf(mine, crypto)).toThrow()
  })

  it('forgets the oldest of more than 64', () => {
    const crypto = port()
    const first = leafOf(leaf, crypto)
    const others: Uint8Array[] = []
    // The last bytes are the signature's, which is not looked at here.
    for (let i = 0; others.length < 64; i++) {
      const other = Uint8Array.from(leaf)
      other[other.length - 1 - (i % 16)]! ^= 1 + Math.floor(i / 16)
      others.push(other)
    }
    for (const other of others.slice(0, 63)) leafOf(other, crypto)
    expect(leafOf(leaf, crypto)).toBe(first)
    leafOf(others[63]!, crypto)
    expect(leafOf(leaf, crypto)).not.toBe(first)
  })
})
