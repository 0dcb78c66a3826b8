import { PassThrough } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { CodedError } from '@touchmark/errors'
import { createLogger } from './logger.js'

const TOKEN = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"email":"dev@example.com"}').toString('base64url')}.c2lnbmF0dXJl`

function logged(write: (logger: ReturnType<typeof createLogger>) => void, level = 'debug'): string {
  const destination = new PassThrough()
  write(createLogger({ level, destination }))
  return String(destination.read() ?? '')
}

describe('createLogger', () => {
  it('writes one JSON line with a time in words', () => {
    const line = logged((logger) => logger.info({ id: 'x' }, 'request'))
    expect(JSON.parse(line)).toEqual({
      level: 30,
      id: 'x',
      msg: 'request',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
    })
    expect(line.endsWith('\n')).toBe(true)
  })

  it('keeps to its level', () => {
    expect(logged((logger) => logger.info('x'), 'warn')).toBe('')
  })

  it.each(['token', 'authorization', 'cookie', 'password', 'passphrase', 'secret', 'id_token', 'access_token'])(
    'removes what is called %s, up to two objects deep',
    (name) => {
      const line = logged((logger) =>
        logger.info({ [name]: 'hunter2', a: { [name]: 'hunter2', b: { [name]: 'hunter2' } } }),
      )
      expect(line).not.toContain('hunter2')
      expect(line).toContain('[removed]')
    },
  )

  it('removes a token wherever it stands: in a message, an address, an error', () => {
    const line = logged((logger) => {
      logger.info(`asked with ${TOKEN}`)
      logger.info({ url: `https://a.example/?id_token=${TOKEN}&x=1` })
      logger.error({ err: new Error(`bad ${TOKEN}`, { cause: new Error(TOKEN) }) }, 'failed')
    })
    expect(line).not.toContain('eyJ')
    expect(line.trim().split('\n')).toHaveLength(3)
    for (const each of line.trim().split('\n')) JSON.parse(each)
  })

  it('removes the password of a URL and leaves the rest', () => {
    const line = logged((logger) => logger.warn({ line: 'postgresql://touchmark:hunter2@db.example:5432/x refused' }))
    expect(JSON.parse(line)).toMatchObject({ line: 'postgresql://touchmark:[removed]@db.example:5432/x refused' })
  })

  it('keeps the code of an error, which is what operators look for', () => {
    const line = logged((logger) => {
      logger.error({ err: new CodedError('LOG_X', 'text') }, 'failed')
      logger.info({ event: 'certificate-refused', code: 'CA_TOKEN_REFUSED' }, 'audit')
    })
    expect(line).toContain('"code":"LOG_X"')
    expect(line).toContain('"code":"CA_TOKEN_REFUSED"')
  })

  it('a line break in a value stays one line', () => {
    expect(
      logged((logger) => logger.info({ name: 'a\n{"level":60}' }))
        .trim()
        .split('\n'),
    ).toHaveLength(1)
  })
})

describe('A6: what a client may have put into a text', () => {
  // eslint-disable-next-line no-control-regex
  const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

  it('reaches a terminal as escapes of JSON, and reads as what it was', () => {
    const text =
      '\u001b[2J \u009b2J \u0007 \u007f \u202egpj.exe \u2066x\u2069 \u061c \u2028 \ufeff \r\n{"level":60} Zoë'
    const line = logged((logger) => logger.info({ text, [text]: { err: new CodedError('LOG_X', text) } }, text))
    expect(line).not.toMatch(harmful)
    expect(line.indexOf('\n')).toBe(line.length - 1)
    expect(line).toContain('Zoë')
    expect(JSON.parse(line)).toMatchObject({ text, msg: text })
  })
})
