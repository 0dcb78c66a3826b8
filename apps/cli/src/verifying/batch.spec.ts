import { describe, expect, it } from '@jest/globals'
import { threadsFor } from './batch.js'
import type { Subject } from './subjects.js'

const subjects = (count: number, sizeBytes: number): Subject[] =>
  Array.from({ length: count }, (_, i) => ({
    named: `${i}`,
    path: `${i}`,
    chosen: 'found',
    bundles: [`${i}.sigstore.json`],
    bundleNamed: false,
    sizeBytes,
  }))

describe('threadsFor', () => {
  it.each<[number, number, number, number]>([
    [1, 100, 8, 0],
    [1, 8 * 2 ** 30, 8, 0],
    [20, 100, 8, 0],
    [200, 100, 8, 2],
    [2000, 100, 8, 8],
    [2000, 100, 1, 0],
    [2, 2 ** 30, 8, 2],
    [100_000, 100, 256, 64],
  ])('%d files of %d bytes on %d cores: %d threads', (count, sizeBytes, cores, threads) => {
    expect(threadsFor(subjects(count, sizeBytes), cores)).toBe(threads)
  })
})
