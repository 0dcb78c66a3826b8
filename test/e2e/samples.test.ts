import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { makeSamples, SAMPLES, samplesOf } from '../support/cli-samples.mjs'
import { startTestStack, type TestStack } from '../support/touchmark.js'

let stack: TestStack
let made: Map<string, string>
const written = samplesOf(readFileSync('docs/cli.md', 'utf8'))

beforeAll(async () => {
  stack = await startTestStack()
  const { stdout: token } = await stack.touchmark('token', '--email', 'ada@example.com')
  made = await makeSamples({ url: stack.url, folder: join(stack.folder, 'work'), token })
}, 180_000)
afterAll(() => stack.remove(), 60_000)

describe('docs/cli.md', () => {
  it('has a place for every sample, and no other', () => {
    expect([...written.keys()].sort()).toEqual(SAMPLES.map(({ name }) => name).sort())
  })

  // After a change that is meant: npm run docs:samples, and read what it wrote.
  it.each(SAMPLES.map(({ name }) => name))('shows what the program says: %s', (name) => {
    expect(made.get(name)).toBe(written.get(name))
  })

  it.each(SAMPLES.map(({ name }) => name).filter((name) => name.startsWith('failure: ')))(
    'tells what to do: %s',
    (name) => {
      expect(made.get(name)).toMatch(/\n +do +\S.*\n( +code +[A-Z_]+\n)?[^]*\(exit code \d+\)\n$/)
    },
  )
})
