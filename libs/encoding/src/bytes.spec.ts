import { describe, expect, it } from '@jest/globals'
import { readAtMost } from './bytes.js'

async function* parts(taken: number[], ...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) {
    taken.push(size)
    yield new Uint8Array(size).fill(size)
  }
}

describe('readAtMost', () => {
  it('joins the pieces in order, up to the limit itself', async () => {
    expect(await readAtMost(parts([], 2, 0, 1), 3)).toEqual(Uint8Array.of(2, 2, 1))
    expect(await readAtMost(parts([]), 0)).toEqual(new Uint8Array(0))
  })

  it('gives nothing past the limit, and asks for no more of the stream', async () => {
    const taken: number[] = []
    expect(await readAtMost(parts(taken, 2, 2, 5), 3)).toBeUndefined()
    expect(taken).toEqual([2, 2])
  })
})
