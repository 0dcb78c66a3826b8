import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { normalTarget } from './request-target.js'

describe('normalTarget', () => {
  it.each([
    ['/api/v2/checkpoint', '/api/v2/checkpoint'],
    ['/a?b=//c%zz', '/a?b=//c%zz'],
    ['//api/v2/signingCert', '/api/v2/signingCert'],
    ['///oidc/token?x=1', '/oidc/token?x=1'],
    ['/api//v2', '/api//v2'],
    ['', '/'],
    ['?x=1', '/?x=1'],
    ['http://evil.example/oidc/token?x=1', '/oidc/token?x=1'],
    ['HTTPS://evil.example', '/'],
    ['http://evil.example?x', '/?x'],
    ['/api/v2/signing%43ert', '/api/v2/signingCert'],
    ['/%61pi/a%2fb%20c', '/api/a%2fb%20c'],
    ['*', '*'],
  ])('%j is read as %j', (target, normal) => expect(normalTarget(target)).toBe(normal))

  it.each(['/%', '/%zz', '/a/%f', '/%ff', '/%c3%28'])('%j has broken escapes', (target) =>
    expect(normalTarget(target)).toBeUndefined(),
  )

  it('is stable, and its path always decodes', () => {
    fc.assert(
      fc.property(fc.string(), (target) => {
        const normal = normalTarget(`/${target}`)
        if (normal === undefined) return
        expect(normalTarget(normal)).toBe(normal)
        decodeURIComponent(normal.split('?', 1)[0]!)
      }),
      { numRuns: 500 },
    )
  })
})
