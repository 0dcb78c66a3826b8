import { describe, expect, it } from '@jest/globals'
import { KnownLeaves } from './known-leaves.js'
import { WaitingEntry } from './waiting-entry.js'

const entry = (text: string) => new WaitingEntry({ body: new TextEncoder().encode(text) })
const withHashOf = (item: WaitingEntry, text: string): WaitingEntry =>
  Object.assign(entry(text), { leafHashHex: item.leafHashHex })

describe('the known leaves', () => {
  it('are those that were seen last, each with its own index', () => {
    const known = new KnownLeaves(4 * 401)
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(entry) as [WaitingEntry, WaitingEntry, WaitingEntry, WaitingEntry]
    for (const [i, item] of [a, b, c].entries()) known.put(item, BigInt(i))
    expect(known.indexOf(entry('a'))).toBe(0n)
    known.put(d, 3n)
    expect([a, b, c, d].map((item) => known.indexOf(item))).toEqual([0n, undefined, 2n, 3n])
  })

  it('C7: give no entry the index of another body, whatever the hashes say', () => {
    const known = new KnownLeaves(10_000)
    const a = entry('a')
    known.put(a, 1n)
    expect(() => known.indexOf(withHashOf(a, 'b'))).toThrowCode('LEDGER_ENTRY_REFUSED')
  })
})
