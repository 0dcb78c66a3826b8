import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatSignedNote, parseSignedNote, type SignedNote } from './signed-note.js'

const keyId = Uint8Array.of(1, 2, 3, 4)
const signature = Uint8Array.of(9, 9)
const line = '\u2014 name AQIDBAkJ\n'

describe('signed notes', () => {
  it('are read and written', () => {
    const note = `text\n\n${line}`
    expect(parseSignedNote(note)).toEqual({ text: 'text\n', signatures: [{ name: 'name', keyId, signature }] })
    expect(formatSignedNote(parseSignedNote(note))).toBe(note)
  })

  it('may have blank lines in their text and several signatures', () => {
    const note = `a\n\nb\n\n${line}${line}`
    expect(parseSignedNote(note).text).toBe('a\n\nb\n')
    expect(parseSignedNote(note).signatures).toHaveLength(2)
  })

  it.each([
    ['no blank line', `text\n${line}`],
    ['no newline at the end', `text\n\n${line.slice(0, -1)}`],
    ['another character for the last newline', `text\n\n${line.slice(0, -1)}X`],
    ['no signature', 'text\n\n'],
    ['an empty line after the signatures', `text\n\n${line}\n`],
    ['a hyphen for a dash', `text\n\n- name AQIDBAkJ\n`],
    ['no key name', `text\n\n\u2014 AQIDBAkJ\n`],
    ['an empty key name', `text\n\n\u2014  AQIDBAkJ\n`],
    ['a plus in the key name', `text\n\n\u2014 na+me AQIDBAkJ\n`],
    ['white space in the key name', `text\n\n\u2014 na\u00a0me AQIDBAkJ\n`],
    ['a signature that is not base64', `text\n\n\u2014 name AQIDBAk*\n`],
    ['base64 without its padding', `text\n\n\u2014 name AQIDBAk\n`],
    ['base64 with loose bits', `text\n\n\u2014 name AQIDBAl=\n`],
    ['a signature that is only a key id', `text\n\n\u2014 name AQIDBA==\n`],
    ['a carriage return', `text\r\n\n${line}`],
    ['a zero byte', `te\0xt\n\n${line}`],
    ['a lone surrogate', `te\ud800xt\n\n${line}`],
    ['a hundred and one signatures', `text\n\n${line.repeat(101)}`],
    ['more than a million characters', `${'x'.repeat(1_000_000)}\n\n${line}`],
    ['nothing', ''],
  ])('are refused with %s', (_, note) => {
    expect(() => parseSignedNote(note)).toThrowCode('TLOG_NOTE_INVALID')
  })

  it('are not written with a text or a name that could be read otherwise', () => {
    const signatures = [{ name: 'name', keyId, signature }]
    expect(() => formatSignedNote({ text: 'text', signatures })).toThrowCode('TLOG_NOTE_INVALID')
    // Its own last line would be read as a signature.
    expect(() => formatSignedNote({ text: `a\n\n${line.slice(0, -1)}`, signatures })).toThrowCode('TLOG_NOTE_INVALID')
    expect(() => formatSignedNote({ text: 'text\n', signatures: [] })).toThrowCode('TLOG_NOTE_INVALID')
    expect(() => formatSignedNote({ text: 'text\n', signatures: [{ name: 'a b', keyId, signature }] })).toThrowCode(
      'TLOG_NOTE_INVALID',
    )
  })

  it('any text is refused, or is written the same', () => {
    const piece = fc.constantFrom('text', '\n', '\n\n', '\u2014 ', 'name', ' ', 'AQIDBAkJ', line, '+', 'x\n')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (text) => {
          let note: SignedNote
          try {
            note = parseSignedNote(text)
          } catch (error) {
            expect((error as { code?: string }).code).toBe('TLOG_NOTE_INVALID')
            return
          }
          expect(formatSignedNote(note)).toBe(text)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
