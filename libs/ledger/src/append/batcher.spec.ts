import { describe, expect, it } from '@jest/globals'
import { Batcher, type Batchable } from './batcher.js'

interface Item extends Batchable {
  readonly name: string
}
const item = (name: string, bytes = 1): Item => ({ name, bytes, arrivedAt: performance.now() })

/** A batcher whose batches end when the test says so. */
function harness(
  options: {
    maxEntries?: number
    maxBytes?: number
    maxAgeMs?: number
    maxWaiting?: number
    maxWaitingBytes?: number
  } = {},
) {
  const batches: string[][] = []
  const ends: (() => void)[] = []
  const starts: (() => void)[] = []
  const waiting: number[] = []
  const batcher = new Batcher<Item>({
    limits: {
      maxEntries: options.maxEntries ?? 100,
      maxBytes: options.maxBytes ?? 1000,
      maxAgeMs: options.maxAgeMs ?? 5,
    },
    maxWaiting: options.maxWaiting ?? 100,
    maxWaitingBytes: options.maxWaitingBytes ?? 10_000,
    observe: { waiting: (entries) => waiting.push(entries) },
    run: (items) => {
      batches.push(items.map((one) => one.name))
      for (const start of starts.splice(0)) start()
      return new Promise<void>((resolve) => ends.push(resolve))
    },
  })
  return {
    batcher,
    batches,
    waiting,
    started: () => new Promise<void>((resolve) => starts.push(resolve)),
    end: () => ends.shift()!(),
  }
}

describe('the batcher', () => {
  it('hands a lone item over at once', async () => {
    const { batcher, batches, started } = harness({ maxAgeMs: 1_000_000 })
    const start = started()
    batcher.add(item('a'))
    await start
    expect(batches).toEqual([['a']])
  })

  it('takes what the same turn of the event loop brings along', async () => {
    const { batcher, batches, started } = harness()
    const start = started()
    for (const name of ['a', 'b', 'c']) batcher.add(item(name))
    await start
    expect(batches).toEqual([['a', 'b', 'c']])
  })

  it('runs one batch at a time, and gathers the next meanwhile', async () => {
    const { batcher, batches, started, end } = harness()
    const first = started()
    batcher.add(item('a'))
    await first
    batcher.add(item('b'))
    await new Promise((resolve) => setImmediate(resolve))
    batcher.add(item('c'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(batches).toEqual([['a']])
    const second = started()
    end()
    await second
    expect(batches).toEqual([['a'], ['b', 'c']])
  })

  it('waits for as many as came before, but no longer than the age limit', async () => {
    const { batcher, batches, started, end } = harness({ maxAgeMs: 10 })
    const first = started()
    for (const name of ['a', 'b', 'c']) batcher.add(item(name))
    await first
    end()
    await new Promise((resolve) => setImmediate(resolve))
    const second = started()
    batcher.add(item('d'))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    batcher.add(item('e'))
    await second
    expect(batches[1]).toEqual(['d', 'e'])
  })

  it('limits a batch by count, in order', async () => {
    const { batcher, batches, started, end } = harness({ maxEntries: 2 })
    const first = started()
    for (const name of ['a', 'b', 'c']) batcher.add(item(name))
    await first
    const second = started()
    end()
    await second
    expect(batches).toEqual([['a', 'b'], ['c']])
  })

  it('limits a batch by bytes, but takes one item of any size', async () => {
    const { batcher, batches, started, end } = harness({ maxBytes: 10 })
    batcher.add(item('a', 50))
    batcher.add(item('b', 6))
    batcher.add(item('c', 6))
    for (let i = 0; i < 3; i++) {
      if (batches.length === i) await started()
      end()
    }
    expect(batches).toEqual([['a'], ['b'], ['c']])
  })

  it('turns away what is too many, counting the batch that runs, and says when to come again', async () => {
    const { batcher, started } = harness({ maxWaiting: 2, maxEntries: 1 })
    const start = started()
    batcher.add(item('a'))
    batcher.add(item('b'))
    await start
    let refusal: unknown
    try {
      batcher.add(item('c'))
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({ code: 'LEDGER_PUSHBACK', details: { retryAfterSeconds: 1 } })
  })

  it('turns away what is too many bytes, but never a first item', async () => {
    const { batcher, batches, started, end } = harness({ maxWaitingBytes: 10 })
    const start = started()
    batcher.add(item('a', 50))
    await start
    expect(() => batcher.add(item('b', 1))).toThrowCode('LEDGER_PUSHBACK')
    end()
    await new Promise((resolve) => setImmediate(resolve))
    const second = started()
    batcher.add(item('c', 1))
    await second
    expect(batches).toEqual([['a'], ['c']])
  })

  it('gives an item back while it waits, and not once it runs', async () => {
    const { batcher, batches, started, end } = harness()
    const a = item('a')
    const b = item('b')
    const c = item('c')
    const start = started()
    batcher.add(a)
    await start
    batcher.add(b)
    batcher.add(c)
    expect(batcher.withdraw(a)).toBe(false)
    expect(batcher.withdraw(b)).toBe(true)
    expect(batcher.withdraw(b)).toBe(false)
    const second = started()
    end()
    await second
    expect(batches).toEqual([['a'], ['c']])
  })

  it('closes after every accepted item has been run, and takes no more', async () => {
    const { batcher, batches, started, end } = harness({ maxEntries: 1 })
    const start = started()
    batcher.add(item('a'))
    batcher.add(item('b'))
    await start
    let closed = false
    const closing = batcher.close().then(() => (closed = true))
    expect(() => batcher.add(item('c'))).toThrowCode('LEDGER_CLOSED')
    const second = started()
    end()
    await second
    expect(closed).toBe(false)
    end()
    await closing
    expect(batches).toEqual([['a'], ['b']])
  })

  it('closes when it is empty, and when the last waiting item is taken back', async () => {
    await harness().batcher.close()
    const { batcher } = harness({ maxAgeMs: 1000 })
    const a = item('a')
    batcher.add(a)
    const closing = batcher.close()
    expect(batcher.withdraw(a)).toBe(true)
    await closing
  })

  it('tells how many wait', async () => {
    const { batcher, waiting, started, end } = harness()
    const start = started()
    batcher.add(item('a'))
    await start
    end()
    await new Promise((resolve) => setImmediate(resolve))
    expect(waiting).toEqual([1, 0])
  })
})
