import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testContext, type TestContext } from '../testing/context.js'
import { policyCheckCommand } from './policy.js'

let context: TestContext
let file: string
beforeEach(async () => {
  context = await testContext()
  file = join(context.folder, 'policy.json')
  const dev = { identity: 'dev@example.com', issuer: 'https://login.example.com' }
  const rules = [
    { name: 'archives', files: ['*.tar', 'dist/**'], signers: ['dev'], thresholds: { times: 2 } },
    { files: ['*'], signers: ['dev'], content: 'attestation', predicateTypes: ['https://slsa.dev/provenance/v1'] },
  ]
  writeFileSync(file, JSON.stringify({ version: 1, signers: { dev }, rules }))
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

describe('touchmark policy check', () => {
  it('shows the rules, and which is about which name', async () => {
    await policyCheckCommand(context, [file, 'a.tar', './dist/x/y', `${process.cwd()}/dist/z`], {})
    const [rules, names] = context.said.out.split('\n\n') as [string, string]
    expect(rules.split('\n')).toEqual([
      'archives',
      '  files     *.tar, dist/**',
      '  content   signature',
      '  signer    dev@example.com by https://login.example.com',
      '  at least  2 times',
      'rule 2',
      '  files    *',
      '  content  attestation',
      '  type     https://slsa.dev/provenance/v1',
      '  signer   dev@example.com by https://login.example.com',
    ])
    expect(names.match(/ {2}archives$/gm)).toHaveLength(3)
  })

  it('ends with 4 for a name that no rule is about', async () => {
    await policyCheckCommand(context, [file, 'a.txt'], {})
    expect([process.exitCode, context.said.out]).toEqual([4, ''])
    expect(context.said.err).toContain('no rule: refused')
    process.exitCode = 0
    await policyCheckCommand({ ...context, json: true }, [file, 'a.txt'], { attestations: true })
    expect(JSON.parse(context.said.out)).toMatchObject({
      files: [{ file: 'a.txt', rule: 'rule 2' }],
      rules: [{}, { keys: 0 }],
    })
    expect(process.exitCode).toBe(0)
  })

  it('refuses a file that is no policy, or is not there', async () => {
    writeFileSync(file, '{}')
    await expect(policyCheckCommand(context, [file], {})).rejects.toThrowCode('CLI_POLICY_INVALID')
    await expect(policyCheckCommand(context, [`${file}.none`], {})).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })

  it('says which member no policy has, and does not send to itself', async () => {
    writeFileSync(file, JSON.stringify({ version: 1, signers: {}, ruels: [] }))
    await expect(policyCheckCommand(context, [file], {})).rejects.toMatchObject({
      message: 'no policy has the member ruels',
      details: { hint: expect.not.stringContaining('policy check') },
    })
    const dev = { identity: 'dev@example.com', issuer: 'https://login.example.com' }
    writeFileSync(file, JSON.stringify({ version: 1, signers: { dev }, rules: [{ file: ['*'], signers: ['dev'] }] }))
    await expect(policyCheckCommand(context, [file], {})).rejects.toMatchObject({
      message: 'rules[0] cannot have the member file',
    })
  })
})
