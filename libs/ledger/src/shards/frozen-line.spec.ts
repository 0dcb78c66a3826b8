import { describe, expect, it } from '@jest/globals'
import { frozenLine } from './frozen-line.js'

describe('frozenLine', () => {
  it.each([
    ['2026-12-01T09:05:00.999Z', 'Log frozen — Tue Dec  1 09:05:00 UTC 2026'],
    ['2027-02-28T23:59:59Z', 'Log frozen — Sun Feb 28 23:59:59 UTC 2027'],
  ])('writes %s as date does', (at, line) => {
    expect(frozenLine(new Date(at))).toBe(line)
  })
})
