import { describe, expect, it } from '@jest/globals'
import { parseSignedNote } from './signed-note.js'
import { tileWidth } from './tiles.js'

const line = '\u2014 name AQIDBAkJ\n'

describe('signed notes at their limits', () => {
  it('may have a million characters', () => {
    const text = 'x'.repeat(1_000_000 - line.length - 2)
    const note = `${text}\n\n${line}`
    expect(note).toHaveLength(1_000_000)
    expect(parseSignedNote(note).text).toBe(`${text}\n`)
    expect(() => parseSignedNote(`x${note}`)).toThrowCode('TLOG_NOTE_INVALID')
  })

  it('may have a hundred signatures', () => {
    expect(parseSignedNote(`text\n\n${line.repeat(100)}`).signatures).toHaveLength(100)
    expect(() => parseSignedNote(`text\n\n${line.repeat(101)}`)).toThrowCode('TLOG_NOTE_INVALID')
  })

  it('may have a text of one empty line', () => {
    expect(parseSignedNote(`\n\n${line}`).text).toBe('\n')
  })
})

describe('the width of a tile', () => {
  it('is 256 left of the right edge, and 0 beyond it', () => {
    expect(tileWidth(0, 0n, 1000n)).toBe(256)
    expect(tileWidth(0, 3n, 1000n)).toBe(232)
    expect(tileWidth(0, 4n, 1000n)).toBe(0)
    expect(tileWidth(0, 5n, 1000n)).toBe(0)
    expect(tileWidth(1, 0n, 255n)).toBe(0)
    expect(tileWidth(1, 2n, 255n)).toBe(0)
  })
})
