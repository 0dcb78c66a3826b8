import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestStack, type TestStack } from '../support/touchmark.js'

const PASSWORD = { TOUCHMARK_KEY_PASSWORD: 'pass word' }
let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
}, 120_000)
afterAll(() => stack.remove(), 60_000)

describe('a key of one’s own', () => {
  it('signs files and attestations that its public key verifies, and no other', async () => {
    const touchmark = stack.as('keys', { environment: PASSWORD })
    const at = (name: string): string => join(stack.folder, name)
    writeFileSync(at('a.txt'), 'artifact\n')
    writeFileSync(at('predicate.json'), '{"note":"checked"}')
    for (const name of ['mine', 'other'])
      expect((await touchmark('key', 'generate', '--output', at(name))).code).toBe(0)
    const about = ['--predicate', at('predicate.json'), '--type', 'https://example.com/checked']
    for (const [command, check, more] of [
      ['sign', 'verify', []],
      ['attest', 'verify-attestation', about],
    ] as const) {
      const made = await touchmark(command, at('a.txt'), ...more, '--key', at('mine.key'), '--json')
      expect([made.code, made.stderr.replace(/^First use [^]*/, '')]).toEqual([0, ''])
      expect((await touchmark(check, at('a.txt'), '--key', at('mine.pub'))).code).toBe(0)
      expect((await touchmark(check, at('a.txt'), '--key', at('other.pub'))).code).toBe(3)
    }
  }, 60_000)

  it('is not asked for where nobody can type', async () => {
    const key = join(stack.folder, 'mine.key')
    const { code, stderr } = await stack.as('keys')('key', 'public', '--key', key)
    expect([code, stderr]).toEqual([6, expect.stringContaining('CLI_PASSWORD_MISSING')])
  }, 60_000)
})

describe('Ctrl-C while many files are signed', () => {
  it('leaves whole bundles and nothing else, and --resume signs the rest', async () => {
    const folder = join(stack.folder, 'many')
    mkdirSync(folder)
    const files = Array.from({ length: 150 }, (_, i) => join(folder, `f${i}`))
    files.forEach((file) => writeFileSync(file, file))
    const key = join(stack.folder, 'mine.key')
    const bundles = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.sigstore.json'))
    const others = (): string[] => readdirSync(folder).filter((name) => !/^f\d+(\.sigstore\.json)?$/.test(name))

    const ended = await new Promise<{ signal: string | null; said: string }>((resolve) => {
      const bin = join(process.cwd(), 'apps', 'cli', 'bin', 'touchmark.mjs')
      const home = join(stack.folder, 'keys')
      const env = { ...process.env, ...PASSWORD, NODE_OPTIONS: '', TOUCHMARK_HOME: home, TOUCHMARK_INSTANCE: stack.url }
      const child = spawn(process.execPath, [bin, 'sign', ...files, '--key', key], { env })
      let said = ''
      child.stdout.on('data', (text: Buffer) => (said += text.toString()))
      child.stderr.on('data', (text: Buffer) => (said += text.toString()))
      // Once: a second signal ends it where it stands.
      const look = setInterval(() => {
        if (bundles().length <= 3) return
        clearInterval(look)
        child.kill('SIGINT')
      }, 2)
      child.on('exit', () => clearInterval(look))
      child.on('close', (_code, signal) => resolve({ signal, said }))
    })
    const left = bundles().length
    expect(ended).toEqual({
      signal: 'SIGINT',
      said: expect.stringMatching(/^Interrupted: \d+ of 150 files are signed/),
    })
    expect([left > 0, left < 150, others()]).toEqual([true, true, []])

    const touchmark = stack.as('keys', { environment: PASSWORD })
    const whole = bundles().map((name) => join(folder, name.replace('.sigstore.json', '')))
    expect((await touchmark('verify', ...whole, '--key', join(stack.folder, 'mine.pub'))).code).toBe(0)
    const resumed = await touchmark('sign', ...files, '--key', key, '--resume', '--json')
    const { signed } = JSON.parse(resumed.stdout) as { signed: { kept: boolean }[] }
    expect([signed.length, signed.filter(({ kept }) => kept).length]).toEqual([150, left])
  }, 120_000)
})
