import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { ValidationQueue, type Waiting } from './validation-queue.js'

afterEach(() => {
  jest.restoreAllMocks()
})

const KIB = 1024
const waiting = (bytes = 1): Waiting => ({
  task: 'entry',
  bytes,
  body: new Uint8Array(bytes),
  settle: () => undefined,
  refuse: () => undefined,
})

/** Adds one of each size. */
function add(queue: ValidationQueue, ...sizes: number[]): Waiting[] {
  return sizes.map((bytes) => {
    const one = waiting(bytes)
    queue.add(one)
    return one
  })
}

const code = 'LEDGER_PUSHBACK'

describe('ValidationQueue', () => {
  it('gives messages in the order of arrival, and their requests when they are answered', () => {
    const queue = new ValidationQueue({})
    const all = add(queue, ...Array<number>(20).fill(1))
    const messages = [queue.next(), queue.next()]
    expect(messages).toEqual([all.slice(0, 16), all.slice(16)])
    expect([queue.next(), queue.waiting, queue.asked]).toEqual([undefined, 20, true])
    expect([queue.answered(), queue.answered()]).toEqual(messages)
    expect([queue.answered(), queue.waiting, queue.asked]).toEqual([[], 0, false])
  })

  it('has room for the bytes of what was withdrawn', () => {
    const queue = new ValidationQueue({ maxWaitingBytes: 100 })
    const [, one] = add(queue, 60, 40)
    expect(() => queue.add(waiting())).toThrowCode(code)
    expect([queue.withdraw(one!), queue.withdraw(one!)]).toEqual([true, false])
    add(queue, 40)
    expect(() => queue.add(waiting())).toThrowCode(code)
  })

  it('has room for the bytes of what was answered, not of what the thread has', () => {
    const queue = new ValidationQueue({ maxWaitingBytes: 100 })
    const [one] = add(queue, 60)
    queue.next()
    add(queue, 40)
    expect(queue.withdraw(one!)).toBe(false)
    expect(() => queue.add(waiting())).toThrowCode(code)
    queue.answered()
    add(queue, 60)
    expect(() => queue.add(waiting())).toThrowCode(code)
  })

  it('is as far ahead as before when the thread has answered', () => {
    const queue = new ValidationQueue({})
    const all = add(queue, 600 * KIB, 600 * KIB, 600 * KIB, 600 * KIB)
    for (const [first, second] of [all.slice(0, 2), all.slice(2)]) {
      expect([queue.next(), queue.next(), queue.next()]).toEqual([[first], [second], undefined])
      queue.answered()
      if (first === all[0]) queue.answered()
    }
  })

  it.each([
    [500, 4, 2],
    [1, 4, 1],
    [60_000, 4, 30],
  ])('says when to come again: %d ms for one, and %d wait', (ms, count, seconds) => {
    const queue = new ValidationQueue({ maxWaiting: count })
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000)
    add(queue, ...Array<number>(count).fill(1))
    queue.next()
    now.mockReturnValue(1_000 + count * ms)
    queue.answered()
    add(queue, ...Array<number>(count).fill(1))
    let refusal: unknown
    try {
      queue.add(waiting())
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({ code, details: { retryAfterSeconds: seconds } })
  })

  it('gives up everything at once', () => {
    const queue = new ValidationQueue({ maxWaitingBytes: 2 })
    const [asked] = add(queue, 1)
    queue.next()
    const [queued] = add(queue, 1)
    expect(queue.clear()).toEqual([asked, queued])
    expect([queue.waiting, queue.asked, queue.next()]).toEqual([0, false, undefined])
    add(queue, 1, 1)
  })
})
