import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync, type Stats } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { CliError } from '../errors.js'
import { lookNow, notThere, readNow } from './read-now.js'

let folder: string
let file: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchmark-read-'))
  file = join(folder, 'file')
  writeFileSync(file, 'text')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('reading without promises', () => {
  it('tells what is there from what is not', () => {
    expect(lookNow(file)?.size).toBe(4)
    expect(lookNow(`${file}.none`)).toBeUndefined()
    expect(lookNow(join(file, 'below'))).toBeUndefined()
    expect(lookNow(join(folder, 'x'.repeat(5000)))).toBeUndefined()
    expect(() => lookNow(folder)).toThrowCode('CLI_FILE_UNREADABLE')
    expect(() => lookNow('a\u0000b')).toThrowCode('CLI_FILE_UNREADABLE')
    expect(notThere(file).code).toBe('CLI_FILE_UNREADABLE')
  })

  it('reads no more than the limit', () => {
    const found = lookNow(file)!
    for (const chosen of ['found', 'named'] as const) {
      expect(Buffer.from(readNow(file, found, 4, chosen)).toString()).toBe('text')
      expect(() => readNow(file, found, 3, chosen)).toThrowCode('CLI_FILE_UNREADABLE')
      expect(() => readNow(`${file}.none`, found, 4, chosen)).toThrowCode('CLI_FILE_UNREADABLE')
      expect(() => readNow(folder, found, 1 << 20, chosen)).toThrowCode('CLI_FILE_UNREADABLE')
    }
  })

  it('does not open what was merely found and is no regular file, and does not wait for what took its place', () => {
    const pipe = join(folder, 'pipe')
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    const refusal = (found: Stats): unknown => {
      try {
        return readNow(pipe, found, 4, 'found')
      } catch (error) {
        return (error as CliError).details.found
      }
    }
    expect(refusal(lookNow(pipe)!)).toBe('it is a pipe')
    expect(refusal(lookNow(file)!)).toBe('it is a pipe')
    // By what it was seen to be, before it is opened.
    expect(refusal(lookNow('/dev/null')!)).toBe('it is a device')
    expect(() => readNow('/dev/null', lookNow('/dev/null')!, 4, 'found')).toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('reads what a person named, a pipe or a device too, and stops behind the limit', () => {
    expect(readNow('/dev/null', lookNow('/dev/null')!, 4, 'named')).toHaveLength(0)
    expect(() => readNow('/dev/zero', lookNow('/dev/zero')!, 3 << 20, 'named')).toThrowCode('CLI_FILE_UNREADABLE')
    // Of no size by its own account.
    const madeUp = lookNow('/proc/self/status')
    if (madeUp === undefined) return
    expect(readNow('/proc/self/status', madeUp, 1 << 20, 'found').length).toBeGreaterThan(500)
    expect(() => readNow('/proc/self/status', madeUp, 100, 'found')).toThrowCode('CLI_FILE_UNREADABLE')
  })
})
