import { describe, expect, it } from '@jest/globals'
import { createLogger } from '@touchmark/service'
import { Opened, startWhole } from './opened.js'

describe('Opened', () => {
  it('closes in reverse order, once', async () => {
    const order: number[] = []
    const opened = new Opened()
    for (const n of [1, 2, 3]) opened.add(() => void order.push(n))
    await opened.close()
    await opened.close()
    expect(order).toEqual([3, 2, 1])
  })

  it('closes the rest when one fails, and says so at the end', async () => {
    const order: number[] = []
    const opened = new Opened()
    opened.add(() => void order.push(1))
    opened.add(() => Promise.reject(new Error('second')))
    opened.add(() => {
      throw new Error('third')
    })
    await expect(opened.close()).rejects.toThrow('third')
    expect(order).toEqual([1])
  })
})

describe('startWhole', () => {
  const logger = createLogger({ level: 'silent' })

  it('leaves nothing open of what could not start, and tells why it could not', async () => {
    const order: string[] = []
    const starting = startWhole(logger, async (opened) => {
      opened.add(() => void order.push('first'))
      opened.add(() => Promise.reject(new Error('cannot be closed')))
      throw new Error('cannot start')
    })
    await expect(starting).rejects.toThrow('cannot start')
    expect(order).toEqual(['first'])
  })

  it('closes nothing of what has started', async () => {
    const order: string[] = []
    const started = await startWhole(logger, async (opened) => {
      opened.add(() => void order.push('closed'))
      return 'started'
    })
    expect([started, order]).toEqual(['started', []])
  })
})
