import { resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { guardPlaces } from './guard-places.js'

describe('--guard', () => {
  it('is a folder in the data folder unless something is named', () => {
    expect(guardPlaces([], false, undefined)).toEqual({
      folder: undefined,
      urls: [],
      optional: false,
      tokenFile: undefined,
    })
  })

  it('takes a folder and addresses, in any order', () => {
    const places = guardPlaces(['https://a.example/x', 'some/folder', 'http://127.0.0.1:9000/'], true, '/token')
    expect(places).toEqual({
      folder: resolve('some/folder'),
      urls: ['https://a.example/x', 'http://127.0.0.1:9000/'],
      optional: true,
      tokenFile: '/token',
    })
  })

  it.each([
    ['http://store.example.com/'],
    ['ftp://store.example.com/'],
    ['s3://bucket/'],
    ['https://user:secret@store.example.com/'],
    ['https://store.example.com/?token=secret'],
    ['https://store.example.com/#x'],
    ['https:'],
    [''],
  ])('refuses %s, and repeats no secret', (place) => {
    const read = (): unknown => guardPlaces([place], false, undefined)
    expect(read).toThrowCode('STANDALONE_CONFIG')
    expect(read).not.toThrow(/secret/)
  })

  it('refuses two folders', () => {
    expect(() => guardPlaces(['a', 'b'], false, undefined)).toThrowCode('STANDALONE_CONFIG')
  })
})
