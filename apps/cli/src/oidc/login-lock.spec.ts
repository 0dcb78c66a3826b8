import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testContext, type TestContext } from '../testing/context.js'
import { withLock } from './login-lock.js'

let context: TestContext
let lock: string
beforeEach(async () => {
  context = await testContext()
  lock = join(context.folder, 'lock')
})
afterEach(() => context.remove())

const TIMEOUT_MS = 1_000
/** What a holder may take: its one request, and five seconds. */
const LONGEST_MS = TIMEOUT_MS + 5_000
let waited: number
const http = (onSleep: (ms: number) => void = () => undefined, timeoutMs = TIMEOUT_MS) => {
  waited = 0
  return {
    timeoutMs,
    sleep: async (ms: number) => {
      waited += ms
      onSleep(waited)
    },
  }
}
const content = (): string => readFileSync(lock, 'utf8')
const idOf = (letter: string, most = LONGEST_MS): string => `${letter.repeat(32)} ${most}`

describe('withLock', () => {
  it('names its holder while it is held, and is gone afterwards', async () => {
    await expect(withLock(lock, http(), async () => content())).resolves.toMatch(/^[0-9a-f]{32} 6000$/)
    expect(readdirSync(context.folder)).toEqual([])
    await expect(withLock(lock, http(), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(readdirSync(context.folder)).toEqual([])
  })

  it('is held by one at a time', async () => {
    let holders = 0
    const work = async (): Promise<void> => {
      expect(++holders).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      holders--
    }
    const patient = { timeoutMs: 600_000, sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 1)) }
    await Promise.all(Array.from({ length: 10 }, () => withLock(lock, patient, work)))
  })

  it.each([idOf('a'), '', 'something else'])('is taken over from a holder that died: %j', async (holder) => {
    writeFileSync(lock, holder)
    await withLock(lock, http(), async () => expect(content()).not.toBe(holder))
    expect(waited).toBe(LONGEST_MS)
    expect(readdirSync(context.folder)).toEqual([])
  })

  it('waits for as long as the holder says that it may take', async () => {
    writeFileSync(lock, idOf('a', 65_000))
    await withLock(lock, http(), () => Promise.resolve())
    expect(waited).toBe(65_000)
  })

  it('counts anew for each holder: one of many is not taken for one that died', async () => {
    writeFileSync(lock, idOf('a'))
    const holders = new Map([
      [5_900, 'b'],
      [11_800, 'c'],
    ])
    const next = (ms: number): void => {
      const letter = holders.get(ms)
      if (letter !== undefined) writeFileSync(lock, idOf(letter))
    }
    await withLock(lock, http(next), () => Promise.resolve())
    expect(waited).toBe(11_800 + LONGEST_MS)
  })

  it('leaves the lock of another alone when it was taken for dead itself', async () => {
    await withLock(lock, http(), async () => writeFileSync(lock, idOf('b')))
    expect(content()).toBe(idOf('b'))
  })

  it('says so when the folder cannot be written', async () => {
    const nowhere = join(context.folder, 'none', 'lock')
    await expect(withLock(nowhere, http(), () => Promise.resolve())).rejects.toThrowCode('CLI_FILE_UNWRITABLE')
  })
})
