import { describe, expect, it } from '@jest/globals'
import { Opened } from './opened.js'

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
