import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
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
    expect(Buffer.from(readNow(file, 4, 4)).toString()).toBe('text')
    expect(() => readNow(file, 5, 4)).toThrowCode('CLI_FILE_UNREADABLE')
    expect(() => readNow(`${file}.none`, 0, 4)).toThrowCode('CLI_FILE_UNREADABLE')
  })
})
