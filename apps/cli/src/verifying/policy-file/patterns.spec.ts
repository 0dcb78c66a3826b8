import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { matchesPattern, whyNoPattern } from './patterns.js'

describe('matchesPattern', () => {
  it.each<[string, string[], string[]]>([
    [
      'app.tar',
      ['app.tar', 'dist/app.tar', '/x/app.tar'],
      ['app.tar.gz', 'xapp.tar', 'App.tar', 'app.tar/x', 'appxtar'],
    ],
    ['*.tar.gz', ['a.tar.gz', 'dist/a.tar.gz', '.tar.gz'], ['a.tar.gz.sh', 'a.tar.gz/b', 'atar.gz']],
    ['a?c', ['abc', 'x/abc', 'a😀c'], ['ac', 'abbc', 'a/c']],
    ['dist/*', ['dist/a'], ['a', 'dist/a/b', 'x/dist/a', 'dist']],
    ['dist/**', ['dist/a', 'dist/a/b', 'dist/'], ['dist', 'x/dist/a', 'distant/a']],
    ['**/app', ['app', 'x/app', 'x/y/app'], ['xapp', 'x/yapp', 'app/x']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['az', 'a/bz', 'b/a/z', 'a/z/b']],
    ['**', ['', 'a', 'a/b', '.hidden', 'sha256:00'], []],
    ['*', ['a', 'a/b', '.hidden', 'sha256:00'], []],
    ['/opt/*', ['/opt/a'], ['opt/a', '/opt/a/b']],
    ['a+(b).$', ['a+(b).$'], ['aab']],
    ['a*b*c', ['abc', 'axxbyyc', 'abcbc'], ['ab', 'acb', 'abcx']],
    ['***', ['a/b'], []],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((name) => !matchesPattern(pattern, name))).toEqual([])
    expect(no.filter((name) => matchesPattern(pattern, name))).toEqual([])
  })

  it('is what an expression of the same meaning says', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 8 })
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '/', '.', '?', '*', '**', '**/'), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(pattern, name, (glob, path) => {
        const source = glob.replaceAll(/(?<=^|\/)\*\*\/|\*+|\?|[^]/g, (part) => {
          if (part === '**/') return '(?:[^]*/)?'
          if (part === '?') return '[^/]'
          if (part.startsWith('*')) return part.length > 1 ? '[^]*' : '[^/]*'
          return part === '.' ? '\\.' : part
        })
        const subject = glob.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1)
        expect(matchesPattern(glob, path)).toBe(new RegExp(`^${source}$`).test(subject))
      }),
      { numRuns: 2000 },
    )
  })

  it('takes time that grows with both lengths and not faster', () => {
    // As a backtracking search this would not end.
    expect(matchesPattern(`${'*a'.repeat(100)}b`, 'a'.repeat(2000))).toBe(false)
  })
})

describe('whyNoPattern', () => {
  it('refuses what has a meaning elsewhere and none here', () => {
    for (const pattern of ['', '[a]', '{a,b}', '!a', 'a\\*', 'a]', 'a}']) expect(whyNoPattern(pattern)).toBeDefined()
    for (const pattern of ['a', '*', '**/a?', 'a b', 'é', 'a(1).txt']) expect(whyNoPattern(pattern)).toBeUndefined()
  })
})
