import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CodedError } from '@touchmark/errors'
import type { CliContext } from './context.js'
import { errorText, printable, printableLines, printError, printJson, Progress, rows } from './output.js'

function capture(
  options: { json?: boolean; interactive?: boolean } = {},
): CliContext & { said: { out: string; err: string } } {
  const said = { out: '', err: '' }
  return {
    json: options.json ?? false,
    interactive: options.interactive ?? false,
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    said,
  } as CliContext & { said: { out: string; err: string } }
}

// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0x20ff }).map((code) => String.fromCharCode(code)) })

describe('printable', () => {
  it.each([
    ['\u001b[31mred', '\\u001b[31mred'],
    ['a\rb', 'a\\u000db'],
    ['a\nverified other.txt', 'a\\u000averified other.txt'],
    ['\u202egpj.exe', '\\u202egpj.exe'],
    ['\u009b2J', '\\u009b2J'],
    ['Zoë@example.com', 'Zoë@example.com'],
  ])('shows %j as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('lets nothing through that moves a cursor or turns a text', () => {
    fc.assert(fc.property(anyText, (text) => expect(printable(text)).not.toMatch(HARMFUL)))
    fc.assert(fc.property(anyText, (text) => expect(printableLines(text).replaceAll('\n', '')).not.toMatch(HARMFUL)))
  })
})

describe('rows', () => {
  it('aligns names and keeps each value on its own line', () => {
    expect(
      rows([
        ['a', 'x\ny'],
        ['long', 'z'],
      ]),
    ).toBe('  a     x\\u000ay\n  long  z\n')
  })
})

describe('printJson', () => {
  it('prints one line of JSON that says the same, whatever is in it', () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, anyText), (value) => {
        const context = capture({ json: true })
        printJson(context, value)
        const line = context.said.out.slice(0, -1)
        expect(line).not.toMatch(HARMFUL)
        expect(JSON.parse(line)).toEqual({ ...value })
      }),
    )
  })

  it('writes big integers as text', () => {
    const context = capture()
    printJson(context, { index: 2n ** 60n })
    expect(context.said.out).toBe('{"index":"1152921504606846976"}\n')
  })
})

describe('errors', () => {
  const error = new CodedError('CLI_TEST', 'bad \u001b[2J thing', {
    expected: 'a\nb',
    found: '\u0007',
    hint: 'do this',
  })

  it('are told on standard error, in rows, with nothing harmful', () => {
    const context = capture()
    printError(context, error)
    expect(context.said).toEqual({
      out: '',
      err: 'touchmark: bad \\u001b[2J thing\n  expected  a\\u000ab\n  found     \\u0007\n  do        do this\n  code      CLI_TEST\n',
    })
  })

  it('are a document of their own in JSON', () => {
    const context = capture({ json: true })
    printError(context, error)
    expect(JSON.parse(context.said.out)).toMatchObject({ error: { code: 'CLI_TEST', hint: 'do this' } })
    expect(context.said.err).toBe('')
  })

  it('that are faults of ours say so', () => {
    expect(errorText(new TypeError('x is undefined'))).toContain('a fault of touchmark')
    expect(errorText('thrown text')).toContain('thrown text')
    const context = capture({ json: true })
    printError(context, new TypeError('x'))
    expect(JSON.parse(context.said.out)).toMatchObject({ error: { code: 'UNEXPECTED' } })
  })
})

describe('Progress', () => {
  it('is for terminals', () => {
    const quiet = capture()
    const progress = new Progress(quiet)
    progress.show('one')
    progress.clear()
    expect(quiet.said).toEqual({ out: '', err: '' })
  })

  it('replaces its own line, and clears it once', () => {
    const context = capture({ interactive: true })
    const progress = new Progress(context)
    progress.show('one\u001b')
    progress.clear()
    progress.clear()
    expect(context.said).toEqual({ out: '', err: '\r\u001b[2Kone\\u001b\r\u001b[2K' })
  })
})
