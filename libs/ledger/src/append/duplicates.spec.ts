import { describe, expect, it } from '@jest/globals'
import { PostgresError } from '@touchmark/postgres'
import type { TreeReader } from '../read/tree-reader.js'
import type { TreeMemory } from '../tree-memory.js'
import { Duplicates } from './duplicates.js'
import { WaitingEntry } from './waiting-entry.js'

const entry = (bytes: number, fill = 0): WaitingEntry => {
  const item = new WaitingEntry({ body: new Uint8Array(bytes).fill(fill) })
  item.answered.catch(() => undefined)
  return item
}
const memory = { newest: { size: 9n }, noteFailure: () => undefined } as unknown as TreeMemory

describe('Duplicates', () => {
  it('takes no more bytes than it may, whatever the number of entries, and gives back what was answered', async () => {
    let prove!: (proofs: Uint8Array[][]) => void
    const provenUnder = () => new Promise<Uint8Array[][]>((resolve) => (prove = resolve))
    const duplicates = new Duplicates(memory, { provenUnder } as unknown as TreeReader, 100, 1000)
    const first = entry(600)
    duplicates.add(first, 1n)
    expect(() => duplicates.add(entry(600), 1n)).toThrowCode('LEDGER_PUSHBACK')
    expect(() => duplicates.follow(entry(600))).toThrowCode('LEDGER_PUSHBACK')
    duplicates.follow(entry(400))
    expect(() => duplicates.follow(entry(1))).toThrowCode('LEDGER_PUSHBACK')
    prove([[]])
    expect(await first.answered).toMatchObject({ index: 1n, duplicate: true })
    expect(() => duplicates.follow(entry(600))).not.toThrow()
  })

  it('takes a lone entry of any size', () => {
    const duplicates = new Duplicates(memory, {} as TreeReader, 100, 1000)
    expect(() => duplicates.follow(entry(5000))).not.toThrow()
  })

  it('does not say of an entry that is in the log that nothing was stored', async () => {
    const lost = new PostgresError('POSTGRES_UNAVAILABLE', 'gone')
    const reader = { provenUnder: () => Promise.reject(lost) } as unknown as TreeReader
    const duplicates = new Duplicates(memory, reader, 100, 1000)
    const item = entry(1)
    duplicates.add(item, 1n)
    await expect(item.answered).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
  })
})
