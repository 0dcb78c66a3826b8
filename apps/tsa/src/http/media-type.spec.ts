import { describe, expect, it } from '@jest/globals'
import { readMediaType } from './media-type.js'

describe('readMediaType', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="utf-8"',
    ' application/json ;',
  ])('reads "%s" as JSON', (header) => {
    expect(readMediaType(header)).toBe('application/json')
  })

  it.each(['application/timestamp-query', 'Application/Timestamp-Query; charset=binary'])(
    'reads "%s" as DER',
    (header) => {
      expect(readMediaType(header)).toBe('application/timestamp-query')
    },
  )

  it.each([
    undefined,
    '',
    'text/plain',
    'application/octet-stream',
    '*/*',
    'application/*',
    'application/timestamp-reply',
  ])('does not support %s', (header) => {
    expect(() => readMediaType(header)).toThrowCode('TSA_MEDIA_TYPE_UNSUPPORTED')
  })

  it.each([
    'garbage',
    '/',
    'application/',
    '/json',
    'a b/json',
    'application/json; charset',
    'application/json/x',
    `a/${'b'.repeat(300)}`,
  ])('finds "%s" malformed', (header) => {
    expect(() => readMediaType(header)).toThrowCode('TSA_MEDIA_TYPE_INVALID')
  })

  it('names the type and what is taken', () => {
    expect(() => readMediaType('text/plain; charset=utf-8')).toThrow(
      'unsupported media type "text/plain", only [application/timestamp-query application/json] are allowed',
    )
  })
})
