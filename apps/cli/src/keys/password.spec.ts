import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testContext, type TestContext } from '../testing/context.js'
import type { Terminal } from './hidden-prompt.js'
import { readPassword, type PasswordOptions } from './password.js'

let context: TestContext
let said: string
let interrupted: number
let raw: boolean[]
let input: PassThrough

beforeEach(async () => {
  context = await testContext()
  said = ''
  interrupted = 0
  raw = []
  input = new PassThrough()
})
afterEach(() => context.remove())

const terminal = (canAsk: boolean): Terminal => ({
  input: Object.assign(input, { setRawMode: (on: boolean) => raw.push(on) }),
  canAsk,
  say: (text) => void (said += text),
  interrupt: () => void interrupted++,
})
const read = async (options: PasswordOptions, environment: NodeJS.ProcessEnv = {}, canAsk = false): Promise<string> =>
  Buffer.from(await readPassword({ ...context, environment }, options, 'open', terminal(canAsk))).toString()
/** What is typed, a key at a time, while the password is asked for. */
const typed = async (purpose: 'open' | 'new', ...lines: string[]): Promise<string> => {
  const asked = readPassword(context, {}, purpose, terminal(true))
  // It may be refused before all is typed.
  asked.catch(() => undefined)
  for (const line of lines) {
    for (const byte of Buffer.from(line)) input.write(Buffer.of(byte))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return Buffer.from(await asked).toString()
}

describe('readPassword', () => {
  it('takes the file before the variables, ours before cosign’s, and those before a terminal', async () => {
    const file = join(context.folder, 'password')
    writeFileSync(file, 'from the file')
    const both = { TOUCHMARK_KEY_PASSWORD: 'ours', COSIGN_PASSWORD: 'cosign’s' }
    expect(await read({ passwordFile: file }, both)).toBe('from the file')
    expect(await read({}, both)).toBe('ours')
    expect(await read({}, { COSIGN_PASSWORD: 'cosign’s' }, true)).toBe('cosign’s')
    expect(said).toBe('')
  })

  it('takes a variable that is set and empty as the empty password', async () => {
    expect(await read({}, { TOUCHMARK_KEY_PASSWORD: '', COSIGN_PASSWORD: 'other' })).toBe('')
    expect(await read({}, { COSIGN_PASSWORD: '' }, true)).toBe('')
  })

  it.each([
    ['pw\n', 'pw'],
    ['pw\r\n', 'pw'],
    ['pw', 'pw'],
    ['pw\n\n', 'pw\n'],
    [' pw ', ' pw '],
    ['\n', ''],
    ['', ''],
  ])('reads a file with %j as %j', async (content, password) => {
    const file = join(context.folder, 'password')
    writeFileSync(file, content)
    expect(await read({ passwordFile: file })).toBe(password)
  })

  it('refuses a file of more than 64 KiB, and one that is not there', async () => {
    const file = join(context.folder, 'password')
    writeFileSync(file, Buffer.alloc((64 << 10) + 1))
    await expect(read({ passwordFile: file })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    await expect(read({ passwordFile: `${file}.none` })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('reads all of standard input when asked to, newlines included', async () => {
    input.end('pw1\npw1\n')
    expect(await read({ passwordFile: '-' }, { TOUCHMARK_KEY_PASSWORD: 'other' })).toBe('pw1\npw1\n')
  })

  it('refuses more than 64 KiB of standard input', async () => {
    input.end(Buffer.alloc((64 << 10) + 1))
    await expect(read({ passwordFile: '-' })).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('says what to do where there is nobody to ask, and reads no standard input', async () => {
    input.end('not a password')
    await expect(read({})).rejects.toThrowCode('CLI_PASSWORD_MISSING')
    expect(input.readableFlowing).toBeNull()
  })
})

describe('asking at a terminal', () => {
  it('shows the question and nothing of the answer, and leaves the terminal as it was', async () => {
    expect(await typed('open', 'sécret\r')).toBe('sécret')
    expect(said).toBe('Password of the key: \n')
    expect(raw).toEqual([true, false])
    expect(input.isPaused()).toBe(true)
  })

  it('takes back characters and lines', async () => {
    expect(await typed('open', 'wrong\u0015aé\u007fü\u0008\u0008\u0008b\n')).toBe('b')
  })

  it('asks twice for a new password', async () => {
    expect(await typed('new', 'one\r', 'one\r')).toBe('one')
    await expect(typed('new', 'one\r', 'two\r')).rejects.toThrowCode('CLI_PASSWORD_DIFFERS')
  })

  it('takes the empty line as the empty password', async () => {
    expect(await typed('open', '\r')).toBe('')
  })

  it('ends without a password on Ctrl-D, and when the terminal goes away', async () => {
    await expect(typed('open', '\u0004')).rejects.toThrowCode('CLI_PASSWORD_MISSING')
    expect(await typed('open', 'typed\u0004')).toBe('typed')
    const asked = readPassword(context, {}, 'open', terminal(true))
    input.end()
    await expect(asked).rejects.toThrowCode('CLI_PASSWORD_MISSING')
    expect(raw.at(-1)).toBe(false)
  })

  it('lets Ctrl-C interrupt the process, with the terminal as it was', async () => {
    await expect(typed('open', 'ty\u0003')).rejects.toThrowCode('CLI_PASSWORD_MISSING')
    expect(interrupted).toBe(1)
    expect(raw.at(-1)).toBe(false)
  })
})
