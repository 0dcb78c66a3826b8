import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testContext, type TestContext } from '../testing/context.js'
import type { Failure, Outcome, Success } from './outcome.js'
import { report } from './report.js'

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})
afterEach(() => context.remove())

const failure = (file: string, found: string, more: Partial<Failure> = {}): Failure => ({
  file,
  verified: false,
  failure: 'proof',
  exitCode: 3,
  error: { code: 'VERIFY_ARTIFACT_CHANGED', message: 'changed', expected: 'x', found, hint: 'Get it again.' },
  ...more,
})
const success = (file: string): Success => ({
  file,
  verified: true,
  proofs: [
    {
      bundle: `${file}.sigstore.json`,
      signer: { identity: 'a@example.com', issuer: 'https://login.example.com', extensions: {} },
      digest: 'sha256:00',
      content: 'message',
      times: [{ time: '2026-06-01T12:00:00.000Z', source: 'timestamp authority', authority: 'tsa' }],
      logEntries: [],
      checks: [],
    },
  ],
  passedOver: [],
})

describe('report', () => {
  it('explains no more than 20 kinds of failures', () => {
    report(
      context,
      Array.from({ length: 30 }, (_, i) => failure(`f${i}`, `found ${i}`)),
      0,
    )
    expect(context.said.err.match(/^touchmark: /gm)).toHaveLength(20)
    expect(context.said.err).toContain('\n… and 10 more kinds of failures (--json lists all)\n')
    expect(context.said.out).toBe('')
  })

  it('names three files of a kind and counts the rest', () => {
    report(
      context,
      ['a', 'b', 'c', 'd', 'e'].map((name) => failure(name, 'the same')),
      2,
    )
    expect(context.said.err).toContain('  files     a, b, c and 2 more\n')
    expect(context.said.err).toContain('2 files were left out with --exclude.\n')
  })

  it('sends no control characters of names to a terminal', () => {
    report(context, [failure('a\u001b[2J', 'x\u001b'), success('b\u202e')], 0)
    report({ ...context, json: true }, [failure('a\u001b[2J', 'x\u001b')], 0)
    // eslint-disable-next-line no-control-regex
    expect(context.said.out + context.said.err).not.toMatch(/[\u001b\u202e]/)
  })

  it('writes one document of any number of files', () => {
    const pieces: string[] = []
    const outcomes: Outcome[] = Array.from({ length: 5000 }, (_, i) => success(`file-${i}`))
    report({ ...context, json: true, out: (text) => void pieces.push(text) }, outcomes, 1)
    expect(pieces.length).toBeGreaterThan(1)
    const document = JSON.parse(pieces.join('')) as { files: { file: string }[] }
    expect(document).toMatchObject({ verified: true, counts: { files: 5000, verified: 5000, failed: 0, excluded: 1 } })
    expect(document.files.at(-1)).toMatchObject({
      file: 'file-4999',
      verified: true,
      bundle: 'file-4999.sigstore.json',
    })
  })
})
