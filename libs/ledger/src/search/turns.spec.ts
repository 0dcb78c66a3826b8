import { describe, expect, it } from '@jest/globals'
import { Turns } from './turns.js'

describe('Turns', () => {
  it('runs so many at a time, in order, and refuses those for whom there is no place', async () => {
    const turns = new Turns(2, 2)
    const ends: (() => void)[] = []
    const began: number[] = []
    const run = (i: number) =>
      turns.run(() => {
        began.push(i)
        return new Promise<number>((resolve) => ends.push(() => resolve(i)))
      })
    const four = [0, 1, 2, 3].map(run)
    await expect(run(4)).rejects.toThrowCode('LEDGER_SEARCH_BUSY')
    expect(began).toEqual([0, 1])
    ends[1]!()
    await four[1]
    await Promise.resolve()
    expect(began).toEqual([0, 1, 2])
    const late = run(5)
    ends[0]!()
    await four[0]
    ends[2]!()
    await four[2]
    await Promise.resolve()
    expect(began).toEqual([0, 1, 2, 3, 5])
    ends[3]!()
    ends[4]!()
    expect(await Promise.all([...four, late])).toEqual([0, 1, 2, 3, 5])
    expect(await turns.run(() => Promise.resolve('again'))).toBe('again')
  })

  it('gives the turn of one that failed to the next', async () => {
    const turns = new Turns(1, 5)
    const failing = turns.run(() => Promise.reject(new Error('failed')))
    const next = turns.run(() => Promise.resolve(1))
    await expect(failing).rejects.toThrow('failed')
    expect(await next).toBe(1)
  })
})
