import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { Interrupts } from './interrupt.js'

let happened: string[]
let signals: EventEmitter
let interrupts: Interrupts

beforeEach(() => {
  happened = []
  signals = new EventEmitter()
  interrupts = new Interrupts({
    on: (signal, listener) => signals.on(signal, listener),
    off: (signal, listener) => signals.off(signal, listener),
    end: (signal) => void happened.push(`ended by ${signal}`),
  })
})

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

describe('an interrupt', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'waits for what is under way, says where things stand, and ends (%s)',
    async (signal) => {
      interrupts.handle(() => happened.push('said'))
      let finish!: () => void
      const work = interrupts.whole(() => new Promise<void>((resolve) => (finish = resolve)))
      void work.then(() => happened.push('written'))
      signals.emit(signal, signal)
      await settle()
      expect(happened).toEqual([])
      finish()
      await settle()
      expect(happened).toEqual(['written', 'said', `ended by ${signal}`])
    },
  )

  it('waits for work that fails as well', async () => {
    interrupts.handle(() => happened.push('said'))
    const work = interrupts.whole(() => settle().then(() => Promise.reject(new Error('full'))))
    signals.emit('SIGINT', 'SIGINT')
    await expect(work).rejects.toThrow('full')
    await settle()
    expect(happened).toEqual(['said', 'ended by SIGINT'])
  })

  it('lets nothing begin afterwards', async () => {
    interrupts.handle(() => undefined)
    signals.emit('SIGINT', 'SIGINT')
    void interrupts.whole(async () => void happened.push('begun'))
    await settle()
    expect(happened).toEqual(['ended by SIGINT'])
  })

  it('ends at once when it comes twice', () => {
    interrupts.handle(() => undefined)
    signals.emit('SIGINT', 'SIGINT')
    // Nobody listens any more: the process ends as it would have.
    expect(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => signals.listenerCount(signal))).toEqual([0, 0, 0])
  })

  it('is not handled any more when that is taken back', () => {
    interrupts.handle(() => undefined)()
    expect(signals.listenerCount('SIGINT')).toBe(0)
  })

  it('does not hold back or change what work gives', async () => {
    expect(await interrupts.whole(() => Promise.resolve(7))).toBe(7)
    await expect(interrupts.whole(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})
