import { describe, expect, it } from '@jest/globals'
import { hostNameOf } from './host-name.js'

describe('hostNameOf', () => {
  it.each([
    ['log.example.com', 'log.example.com'],
    ['Log.Example.COM:8443', 'log.example.com'],
    ['log.example.com.', 'log.example.com'],
    ['log.example.com.:443', 'log.example.com'],
    ['127.0.0.2:80', '127.0.0.2'],
    ['', ''],
    [undefined, ''],
    ['[::1]:80', '[::1]'],
    [':80', ''],
  ])('reads %s as %s', (header, name) => {
    expect(hostNameOf(header)).toBe(name)
  })
})
