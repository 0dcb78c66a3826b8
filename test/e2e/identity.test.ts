import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { browse } from '../interop/fake-browser.mjs'
import { startTestStack, type TestStack } from '../support/touchmark.js'

let stack: TestStack
let file: string
let token: string

beforeAll(async () => {
  stack = await startTestStack()
  file = join(stack.folder, 'artifact.txt')
  writeFileSync(file, 'artifact\n')
  token = (await stack.touchmark('token', '--email', 'job@example.com')).stdout.trim()
}, 120_000)
afterAll(() => stack.remove(), 60_000)

interface Report {
  readonly ok: boolean
  readonly checks: readonly { check: string; state: string; code?: string }[]
}

describe('touchmark doctor', () => {
  it('finds a stack well, with a token that the CA takes', async () => {
    const doctor = stack.as('doctor')
    expect((await doctor('trust', 'use', stack.url)).code).toBe(0)
    const { code, stdout } = await doctor('doctor', '--json', '--identity-token', token)
    const report = JSON.parse(stdout) as Report
    expect(report.checks.filter(({ state }) => state !== 'ok')).toEqual([])
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true })
    expect(stdout).not.toContain(token.split('.')[1])
  }, 60_000)

  it('finds a home that others can write, and a job without the permission', async () => {
    const doctor = stack.as('doctor', { environment: { GITHUB_ACTIONS: 'true' } })
    chmodSync(join(stack.folder, 'doctor'), 0o777)
    const { code, stdout } = await doctor('doctor', '--json')
    const codes = (JSON.parse(stdout) as Report).checks.flatMap((one) => one.code ?? [])
    expect({ code, codes }).toEqual({ code: 11, codes: ['CLI_MACHINE_HOME', 'CLI_AMBIENT_ABSENT'] })
  }, 60_000)
})

describe('a job of GitHub Actions', () => {
  let service: Server
  let asked: { url: string | undefined; authorization: string | undefined }[]
  let environment: NodeJS.ProcessEnv
  beforeAll(async () => {
    asked = []
    service = createServer((request, response) => {
      asked.push({ url: request.url, authorization: request.headers.authorization })
      response.end(JSON.stringify({ count: 1, value: token }))
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    environment = {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer-of-the-job',
    }
  })
  afterAll(() => new Promise((resolve) => service.close(resolve)))

  it('signs with the token of the job, and prints neither it nor the bearer', async () => {
    const bundle = join(stack.folder, 'job.json')
    const touchmark = stack.as('job', { environment })
    const { code, stdout, stderr } = await touchmark('sign', file, '--bundle', bundle, '--json')
    expect({ code, told: JSON.parse(stdout) as object }).toMatchObject({
      code: 0,
      told: { tokenSource: 'github-actions', identity: 'job@example.com' },
    })
    expect(asked).toEqual([
      { url: '/token?api-version=2.0&audience=sigstore', authorization: 'bearer bearer-of-the-job' },
    ])
    for (const secret of [token.split('.')[1]!, 'bearer-of-the-job']) expect(`${stdout}${stderr}`).not.toContain(secret)
  }, 60_000)

  it('says who it is', async () => {
    const { code, stdout } = await stack.as('job', { environment })('whoami')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^token +github-actions\n[^]*^ {2}name +job@example\.com \(email\)$/m)
  }, 60_000)

  it('without the permission ends at once, and says what is missing', async () => {
    const { code, stderr } = await stack.as('job', { environment: { GITHUB_ACTIONS: 'true' } })(
      'sign',
      file,
      '--overwrite',
    )
    expect(code).toBe(6)
    expect(stderr).toContain('id-token: write')
    expect(existsSync(`${file}.sigstore.json`)).toBe(false)
  }, 60_000)
})

describe('a kept login', () => {
  it('is what whoami shows until logout', async () => {
    const visits: Promise<unknown>[] = []
    const onText = (text: string): void => {
      const url = visits.length === 0 ? /(http:\/\/localhost:\d+\/oidc\/auth\?\S+)/.exec(text)?.[1] : undefined
      if (url !== undefined) visits.push(browse(url))
    }
    const touchmark = stack.as('person', { environment: { TOUCHMARK_BROWSER: 'none' }, onText })
    expect((await touchmark('whoami')).code).toBe(6)
    expect((await touchmark('login')).code).toBe(0)
    await Promise.all(visits)
    const whoami = await touchmark('whoami', '--json')
    expect(JSON.parse(whoami.stdout)).toMatchObject({
      tokenSource: 'kept login',
      certificate: { state: 'known', name: 'dev@example.com', issuer: stack.issuer },
    })
    const logins = join(stack.folder, 'person', 'logins')
    const kept = join(logins, readdirSync(logins)[0]!)
    chmodSync(kept, 0o644)
    const open = await touchmark('whoami')
    expect([open.code, open.stderr]).toEqual([6, expect.stringContaining('0644')])
    chmodSync(kept, 0o600)
    expect((await touchmark('logout')).stdout).toBe('Logged out.\n')
    expect(() => statSync(kept)).toThrow()
    expect((await touchmark('whoami')).code).toBe(6)
  }, 60_000)
})
