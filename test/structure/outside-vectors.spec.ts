import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { outsideVectors } from '../support/outside-vectors.mjs'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchmark-vectors-'))
  mkdirSync(join(folder, 'there'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('outsideVectors', () => {
  it('finds the folder that is named', () => {
    expect(outsideVectors('there', { TOUCHMARK_VECTORS: folder, CI: 'true' })).toBe(join(folder, 'there'))
  })

  it.each([{ CI: 'true' }, { CI: '1' }, { TOUCHMARK_VECTORS: '/none' }])(
    'ends where they must be there: %j',
    (environment) => {
      expect(() => outsideVectors('no such vectors', environment)).toThrow('TOUCHMARK_VECTORS')
    },
  )

  it.each([{}, { CI: '' }, { CI: 'false' }, { TOUCHMARK_VECTORS: '', CI: 'true' }])(
    'gives nothing where they need not be there: %j',
    (environment) => expect(outsideVectors('no such vectors', environment)).toBeUndefined(),
  )

  it('is the one way to them', () => {
    const files = ['apps', 'libs', 'test'].flatMap((top) =>
      readdirSync(top, { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(ts|mjs)$/.test(path) && !/(^|\/)(node_modules|dist)\//.test(path))
        .map((path) => join(top, path)),
    )
    const others = files.filter((path) => /shared['", /]+vectors|SIGSTORE_CONFORMANCE/.test(readFileSync(path, 'utf8')))
    expect(others.sort()).toEqual(['test/structure/outside-vectors.spec.ts', 'test/support/outside-vectors.mjs'])
  })
})
