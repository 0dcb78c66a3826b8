import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isS3Name, parseS3Place } from './s3-place.js'

const endpoint = 'https://store.example.com'

describe('the name of an S3 target', () => {
  it('is a bucket and a prefix', () => {
    expect(parseS3Place('s3://my-bucket/log/2026', { endpoint })).toEqual({
      endpoint,
      region: 'us-east-1',
      bucket: 'my-bucket',
      prefix: 'log/2026/',
    })
    expect(parseS3Place('s3://my-bucket', { endpoint }).prefix).toBe('')
    expect(parseS3Place('s3://my-bucket/', { endpoint }).prefix).toBe('')
    expect(parseS3Place('s3://my-bucket/log/', { endpoint }).prefix).toBe('log/')
  })

  it.each(['s3:', 's3://', 's3:///log', 's3://ab', 's3://My-Bucket', 's3://a..b', 's3://-abc', 's3://user@bucket'])(
    'is not %s',
    (name) => {
      expect(isS3Name(name)).toBe(true)
      expect(() => parseS3Place(name, { endpoint })).toThrowCode('AUDIT_TARGET_INVALID')
    },
  )

  it.each(['..', '.', 'a/../b', 'a//b', '/a', 'a b', 'a+b', 'a%2eb', 'a?b', 'a#b', 'ä', 'a\\b', `${'a'.repeat(600)}`])(
    'has no prefix %s',
    (prefix) => {
      expect(() => parseS3Place(`s3://my-bucket/${prefix}`, { endpoint })).toThrowCode('AUDIT_TARGET_INVALID')
    },
  )

  it('leads to Amazon when there is a region alone, and nowhere without', () => {
    expect(parseS3Place('s3://my-bucket', { region: 'eu-central-1' }).endpoint).toBe(
      'https://s3.eu-central-1.amazonaws.com',
    )
    expect(() => parseS3Place('s3://my-bucket')).toThrowCode('AUDIT_TARGET_INVALID')
    expect(() => parseS3Place('s3://my-bucket', { region: 'evil.example.com/' })).toThrowCode('AUDIT_TARGET_INVALID')
  })

  it.each(['https://127.0.0.1:9000/', 'http://127.0.0.1:9000', 'http://localhost:9000', 'http://[::1]:9000'])(
    'may be at %s',
    (address) => {
      expect(parseS3Place('s3://my-bucket', { endpoint: address }).endpoint).toBe(address.replace(/\/$/, ''))
    },
  )

  it.each([
    'http://store.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'ftp://store.example.com',
    'store.example.com',
    'https://store.example.com?x=1',
    'https://store.example.com#x',
    'https://store.example.com/a%20b',
  ])('is not at %s', (address) => {
    expect(() => parseS3Place('s3://my-bucket', { endpoint: address })).toThrowCode('AUDIT_TARGET_INVALID')
  })

  it('does not repeat a password of the address', () => {
    expect.assertions(2)
    try {
      parseS3Place('s3://my-bucket', { endpoint: 'https://key:hunter2@store.example.com' })
    } catch (error) {
      expect(String(error)).toContain('no user')
      expect(String(error)).not.toContain('hunter2')
    }
  })

  it('is refused or has a path that no URL parser changes, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'s3:/.-_ab9%?#\\ @') }), (text) => {
        let place
        try {
          place = parseS3Place(`s3://bucket/${text}`, { endpoint })
        } catch (error) {
          expect(error).toHaveProperty('code', 'AUDIT_TARGET_INVALID')
          return
        }
        const url = `${endpoint}/bucket/${place.prefix}checkpoint`
        expect(new URL(url).href).toBe(url)
      }),
    )
  })
})
