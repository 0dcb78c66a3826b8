import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { RefusalPace } from './refusal-pace.js'

let nowMs = 0
beforeEach(() => {
  nowMs = 0
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

/** Time goes by, a millisecond at a time. */
async function pass(ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) {
    nowMs++
    await jest.advanceTimersByTimeAsync(1)
  }
}

/** A client that waits for its answer; `close` is its leaving. */
function client(): ServerResponse {
  return Object.assign(new EventEmitter(), { destroyed: false }) as unknown as ServerResponse
}

/** Ten a second, three at once. */
const paced = (): RefusalPace => new RefusalPace({ perSecond: 10, burst: 3, now: () => nowMs })

/** Asks for turns; whose answer has left is added to `left`. */
function ask(pace: RefusalPace, names: string, left: string[]): ServerResponse[] {
  return [...names].map((name) => {
    const response = client()
    void pace.turn(response).then(() => left.push(name))
    return response
  })
}

describe('the pace of refusals', () => {
  it('lets a burst go at once and then one after the other, in the order in which they came', async () => {
    const [pace, left]: [RefusalPace, string[]] = [paced(), []]
    ask(pace, 'abcdef', left)
    await pass(1)
    expect([left.join(''), pace.held]).toEqual(['abc', 3])
    await pass(100)
    expect([left.join(''), pace.held]).toEqual(['abcd', 2])
    await pass(200)
    expect([left.join(''), pace.held]).toEqual(['abcdef', 0])
  })

  it('lets nobody pass those who wait', async () => {
    const [pace, left]: [RefusalPace, string[]] = [paced(), []]
    ask(pace, 'abcd', left)
    await pass(90)
    // Time enough for one has gone by when the timer has not been heard.
    nowMs += 100
    ask(pace, 'e', left)
    await Promise.resolve()
    expect(left.join('')).toBe('abc')
    await pass(200)
    expect(left.join('')).toBe('abcde')
  })

  it('saves up no more than the burst', async () => {
    const [pace, left]: [RefusalPace, string[]] = [paced(), []]
    await pass(5_000)
    ask(pace, 'abcdef', left)
    await pass(1)
    expect(left.join('')).toBe('abc')
  })

  it('is no faster for being asked by many: in ten seconds a hundred and the burst', async () => {
    const [pace, left]: [RefusalPace, string[]] = [paced(), []]
    ask(pace, 'x'.repeat(1_000), left)
    await pass(10_000)
    expect(left.length).toBe(103)
  })

  it('keeps no place for a client that has gone, and no listener for one that was answered', async () => {
    const [pace, left]: [RefusalPace, string[]] = [paced(), []]
    const clients = ask(pace, 'abcdef', left)
    clients[3]!.emit('close')
    clients[4]!.emit('close')
    expect(pace.held).toBe(1)
    await pass(101)
    expect(left.join('')).toBe('abcdef')
    for (const one of clients) expect(one.listenerCount('close')).toBe(0)
    ask(pace, 'ghi', left)
    void pace.turn(Object.assign(client(), { destroyed: true })).then(() => left.push('!'))
    await Promise.resolve()
    expect([left.join(''), pace.held]).toEqual(['abcdef!', 3])
  })

  it('lets everybody go when the process is to end, and those who come then', async () => {
    const [pace, left]: [RefusalPace, string[]] = [paced(), []]
    ask(pace, 'abcdef', left)
    pace.open()
    ask(pace, 'ghi', left)
    await Promise.resolve()
    await Promise.resolve()
    expect([left.join(''), pace.held]).toEqual(['abcdefghi', 0])
    expect(jest.getTimerCount()).toBe(0)
  })
})
