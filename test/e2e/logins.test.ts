import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { browse } from '../interop/fake-browser.mjs'
import { startTestStack, type Outcome, type TestStack } from '../support/touchmark.js'

/** The address of the person that `browse` is. */
const WHO = 'dev@example.com'
let stack: TestStack
let file: string

beforeAll(async () => {
  stack = await startTestStack()
  file = join(stack.folder, 'artifact.txt')
  writeFileSync(file, 'artifact\n')
}, 120_000)
afterAll(() => stack.remove(), 60_000)

/** Lets the person visit the first address in the output that fits. */
function visiting(pattern: RegExp): { onText: (text: string) => void; visits: Promise<unknown>[] } {
  const visits: Promise<unknown>[] = []
  return {
    visits,
    onText: (text) => {
      const url = visits.length === 0 ? pattern.exec(text)?.[1] : undefined
      if (url !== undefined) visits.push(browse(url))
    },
  }
}

async function verified(bundle: string): Promise<void> {
  const who = ['--certificate-identity', WHO, '--certificate-oidc-issuer', stack.issuer]
  const { code, stderr } = await stack.touchmark('verify', file, '--bundle', bundle, ...who)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
}

describe('a login', () => {
  it('goes through the browser that the desktop opens', async () => {
    const tools = join(stack.folder, 'tools')
    mkdirSync(tools)
    const opener = join(tools, 'xdg-open')
    copyFileSync(join(process.cwd(), 'test', 'interop', 'fake-browser.mjs'), join(tools, 'fake-browser.mjs'))
    writeFileSync(opener, `#!/bin/sh\nexec "${process.execPath}" "${join(tools, 'fake-browser.mjs')}" "$@"\n`)
    chmodSync(opener, 0o755)
    const environment = { PATH: `${tools}:${process.env['PATH']}`, DISPLAY: ':0', TOUCHMARK_BROWSER: 'system' }
    const bundle = join(stack.folder, 'browser.json')
    const { code, stderr } = await stack.as('browser', { environment })('sign', file, '--bundle', bundle)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('your browser opened') })
    await verified(bundle)
  }, 60_000)

  it('goes through a page that is opened by hand, and is kept for the next time', async () => {
    const person = visiting(/(http:\/\/localhost:\d+\/oidc\/auth\?\S+)/)
    const environment = { TOUCHMARK_BROWSER: 'none' }
    const touchmark = stack.as('hand', { environment, onText: person.onText })
    const { code, stdout } = await touchmark('login', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ identity: WHO, issuer: stack.issuer })
    await Promise.all(person.visits)
    const logins = join(stack.folder, 'hand', 'logins')
    for (const name of readdirSync(logins)) expect(statSync(join(logins, name)).mode & 0o777).toBe(0o600)

    const bundle = join(stack.folder, 'kept.json')
    const signed = await touchmark('sign', file, '--bundle', bundle, '--json')
    expect(JSON.parse(signed.stdout)).toMatchObject({ tokenSource: 'kept login' })
    await verified(bundle)
  }, 60_000)

  it('goes through another device', async () => {
    const person = visiting(/(http:\/\/localhost:\d+\/oidc\/device\S*user_code=\S+)/)
    const bundle = join(stack.folder, 'device.json')
    const touchmark = stack.as('device', { onText: person.onText })
    const { code, stdout, stderr } = await touchmark('sign', file, '--device', '--bundle', bundle, '--json')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/check that it shows this code:\n +\S+/),
    })
    expect(JSON.parse(stdout)).toMatchObject({ tokenSource: 'device', identity: WHO })
    await verified(bundle)
  }, 60_000)

  it('fails when the answer in the browser is not of this login', async () => {
    let seen: Promise<Response> | undefined
    const onText = (text: string): void => {
      const callback = /redirect_uri=([^&\s]+)/.exec(text)?.[1]
      if (callback !== undefined) seen ??= fetch(`${decodeURIComponent(callback)}?code=stolen&state=guessed`)
    }
    const outcome: Outcome = await stack.as('attacked', { environment: { TOUCHMARK_BROWSER: 'none' }, onText })('login')
    expect([outcome.code, outcome.stdout]).toEqual([6, ''])
    expect(outcome.stderr).toContain('CLI_LOGIN_STATE')
    expect((await seen!).status).toBe(400)
  }, 60_000)
})
