import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'

interface Figures {
  name: string
  inputs: number
  accepted: number
  refused: number
  finding?: { kind: string; text: string; input: string }
}

const findings = mkdtempSync(join(tmpdir(), 'touchmark-fuzz-'))
afterAll(() => rmSync(findings, { recursive: true, force: true }))

function fuzz(...args: string[]): { code: number | null; results: Figures[]; stderr: string } {
  const run = spawnSync(process.execPath, ['test/fuzz/run.mjs', '--json', '--findings', findings, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const { results = [] } = run.stdout === '' ? {} : (JSON.parse(run.stdout) as { results: Figures[] })
  return { code: run.status, results, stderr: run.stderr }
}

const broken = (...args: string[]) => fuzz('--from', 'test/fuzz/broken-parsers.mjs', ...args)
const only = (...names: string[]) => names.flatMap((name) => ['--only', name])
/** Fewer than the real ones, whose long form is `npm run test:fuzz`. */
const RUNS = '15000'

describe('every parser of what an entry passes through', () => {
  const { code, results, stderr } = fuzz('--runs', RUNS)

  it('refuses with a code or takes what it writes again, quickly and in bounded memory', () => {
    expect(results.filter(({ finding }) => finding !== undefined)).toEqual([])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(results.reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(Number(RUNS))
  })

  it('is reached: some of its inputs are taken, and some are not', () => {
    expect(results.length).toBeGreaterThan(30)
    expect(results.filter(({ accepted, refused }) => accepted === 0 || refused === 0)).toEqual([])
  })
})

describe('the fuzzer', () => {
  it('finds what is wrong with one input, and leaves the input behind', () => {
    const names = ['throws', 'throws no Error', 'is not stable', 'refuses what it wrote', 'is slow', 'holds memory']
    const { code, results } = broken('--runs', '14000', ...only('refuses or takes', ...names, 'is slow once'))
    expect(code).toBe(1)
    expect(Object.fromEntries(results.map(({ name, finding }) => [name, finding?.kind]))).toEqual({
      'refuses or takes': undefined,
      throws: 'exception',
      'throws no Error': 'exception',
      'is not stable': 'not stable',
      'refuses what it wrote': 'exception in the check',
      'is slow': 'slow',
      'is slow once': undefined,
      'holds memory': 'memory',
    })
    const input = results.find(({ name }) => name === 'throws')!.finding!.input
    expect(readFileSync(input)[0]! % 16).toBe(7)
    const again = broken(...only('throws'), '--input', input)
    expect(again).toMatchObject({ code: 1, results: [{ inputs: 1, finding: { kind: 'exception' } }] })
  })

  it('finds an input that never ends', () => {
    const { code, results } = broken('--runs', '1000', '--hang-seconds', '1', ...only('hangs'))
    expect(code).toBe(1)
    expect(results).toMatchObject([{ name: 'hangs', finding: { kind: 'hang' } }])
    expect(readFileSync(results[0]!.finding!.input)[0]! % 16).toBe(7)
  })

  it('finds an input that takes all memory', () => {
    const { code, results } = broken('--runs', '1000', ...only('takes all memory'))
    expect(code).toBe(1)
    expect(results).toMatchObject([{ name: 'takes all memory', finding: { kind: 'memory' } }])
  })

  it('gives the same inputs for the same seed, and others for another', () => {
    const figures = (seed: string) =>
      fuzz('--runs', '400', '--seed', seed, ...only('tile path', 'signed note')).results.map(({ accepted }) => accepted)
    const first = figures('7')
    expect(figures('7')).toEqual(first)
    expect(figures('8')).not.toEqual(first)
  })

  it.each([
    [['--runs', '0'], '--runs is a positive number'],
    [['--only', 'nothing'], 'there is no parser nothing'],
    [['--input', 'package.json'], '--input needs one parser'],
  ])('refuses %p', (args, text) => {
    const { code, stderr } = fuzz(...args)
    expect(code).toBe(2)
    expect(stderr).toContain(text)
  })
})
