import { describe, expect, it } from '@jest/globals'
import { encodeByteaArray } from '../store/binary-array.js'
import { hashAgain } from './appender.js'
import { WaitingEntry, assertEntry } from './waiting-entry.js'

const CERTIFICATE_LEAF = Uint8Array.of(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 99)

describe('entries', () => {
  it('of a signature log have up to 65,535 bytes', () => {
    assertEntry('signature-v2', { body: new Uint8Array(65_535) })
    expect(() => assertEntry('signature-v2', { body: new Uint8Array(65_536) })).toThrowCode('LEDGER_ENTRY_TOO_LARGE')
    expect(() => assertEntry('signature-v1', { body: new Uint8Array(65_536) })).toThrowCode('LEDGER_ENTRY_TOO_LARGE')
  })

  it('of a certificate log have up to 256 KiB, and so have their chains', () => {
    assertEntry('certificate', { body: new Uint8Array(256 * 1024) })
    expect(() => assertEntry('certificate', { body: new Uint8Array(256 * 1024 + 1) })).toThrowCode(
      'LEDGER_ENTRY_TOO_LARGE',
    )
    const extra = new Uint8Array(256 * 1024 + 1)
    expect(() => assertEntry('certificate', { body: CERTIFICATE_LEAF, extra })).toThrowCode('LEDGER_ENTRY_TOO_LARGE')
  })

  it('are not empty, and in a certificate log are MerkleTreeLeafs', () => {
    expect(() => assertEntry('signature-v2', { body: new Uint8Array(0) })).toThrowCode('LEDGER_ENTRY_INVALID')
    expect(() => assertEntry('certificate', { body: Uint8Array.of(1) })).toThrowCode('LEDGER_ENTRY_INVALID')
  })

  it('are copied, so that a caller may use its buffer again', () => {
    const body = Uint8Array.of(1, 2, 3)
    const extra = Uint8Array.of(4)
    const waiting = new WaitingEntry({ body, extra })
    body.fill(0)
    extra.fill(0)
    expect([...waiting.entry.body]).toEqual([1, 2, 3])
    expect([...waiting.entry.extra!]).toEqual([4])
  })

  it('are hashed again from the bytes that are sent: one flipped bit between stops the log', () => {
    const entries = ['a', 'b', 'c'].map((text) => new WaitingEntry({ body: new TextEncoder().encode(text) }))
    hashAgain(entries, encodeByteaArray(entries.map((one) => one.entry.body)))
    const sent = encodeByteaArray(entries.map((one) => one.entry.body))
    sent.elements[1]![0]! ^= 1
    expect(() => hashAgain(entries, sent)).toThrowCode('LEDGER_CORRUPT')
  })
})
