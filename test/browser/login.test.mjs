// A person with a real browser logs in at the demonstration issuer, with the address that `touchmark` prints; TOUCHMARK_SHOTS names a folder for pictures.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { startStack } from '../interop/stack.mjs'
import { launchChromium } from './chromium.mjs'

const exec = promisify(execFile)
const WHO = 'grace@example.com'
const AUTH_PAGE = /(http:\/\/localhost:\d+\/oidc\/auth\?\S+)/
const DEVICE_PAGE = /(http:\/\/localhost:\d+\/oidc\/device\?\S*user_code=\S+)/

/** One `touchmark` command that is waiting for somebody to log in. */
function begin(stack, home, args, environment) {
  const child = spawn(process.execPath, [stack.bin, ...args], {
    env: { ...stack.environment, TOUCHMARK_HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const listeners = new Set()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk
      for (const listener of listeners) listener()
    })
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, text })))
  return {
    ended,
    stop: () => child.kill('SIGKILL'),
    /** The first text that fits, when it has been printed. */
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text)?.[1]
          if (found !== undefined) resolve(found)
        }
        listeners.add(look)
        look()
        void ended.then(({ code }) => reject(new Error(`ended with ${code} and without a page to open:\n${text}`)))
      }),
  }
}

function expectEqual(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`)
}

function expectText(text, ...parts) {
  for (const part of parts) if (!text.includes(part)) throw new Error(`expected "${part}" in:\n${text}`)
}

/** A stack, a browser, and the stories; each has a browser profile and a home of its own. */
class Stories {
  constructor(stack, browser, folder) {
    Object.assign(this, { stack, browser, folder, count: 0 })
  }

  async play(story) {
    const home = join(this.folder, `home-${++this.count}`)
    const file = join(this.folder, `artifact-${this.count}.txt`)
    writeFileSync(file, `artifact ${this.count}\n`)
    const context = await this.browser.newContext()
    context.setDefaultTimeout(20_000)
    const begun = []
    const run = (args, environment = {}) => {
      begun.push(begin(this.stack, home, args, environment))
      return begun.at(-1)
    }
    try {
      await story({ stack: this.stack, page: await context.newPage(), context, file, run })
    } finally {
      for (const one of begun) one.stop()
      await context.close()
    }
  }
}

async function shot(page, name) {
  const folder = process.env.TOUCHMARK_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

async function fillIn(page, email) {
  await page.getByLabel('Name').fill('Grace')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByRole('button', { name: 'Log in' }).click()
}

async function heading(page) {
  return (await page.getByRole('heading', { level: 1 }).textContent()).trim()
}

async function verified({ stack, file }) {
  const who = ['--certificate-identity', WHO, '--certificate-oidc-issuer', stack.issuer]
  const { stdout } = await exec(process.execPath, [stack.bin, 'verify', file, ...who], { env: stack.environment })
  expectText(stdout, WHO)
}

const NO_OPENER = { TOUCHMARK_BROWSER: 'none' }

const stories = {
  async 'signs after a login in the browser'(given) {
    const { page, run, file } = given
    const command = run(['sign', file], NO_OPENER)
    await page.goto(await command.printed(AUTH_PAGE))
    expectText(await page.title(), 'demo')
    await shot(page, 'login')
    await fillIn(page, WHO)
    await page.waitForURL(/\/auth\/callback/)
    expectEqual(await heading(page), 'You are logged in')
    await shot(page, 'callback')
    const { code, text } = await command.ended
    expectEqual(code, 0)
    expectText(text, WHO)
    await verified(given)
  },

  async 'shows what is wrong with an address and goes on with the right one'(given) {
    const { page, run, file } = given
    const command = run(['sign', file], NO_OPENER)
    await page.goto(await command.printed(AUTH_PAGE))
    await page.locator('form').evaluate((form) => (form.noValidate = true))
    await fillIn(page, 'not an address')
    expectText(await page.getByRole('alert').textContent(), 'not an e-mail address')
    await shot(page, 'wrong-address')
    await fillIn(page, WHO)
    await page.waitForURL(/\/auth\/callback/)
    expectEqual((await command.ended).code, 0)
    await verified(given)
  },

  async 'refuses an answer with another state, and says so in the page'({ page, run, file }) {
    const command = run(['sign', file], NO_OPENER)
    const url = new URL(await command.printed(AUTH_PAGE))
    url.searchParams.set('state', 'guessed')
    await page.goto(url.href)
    await fillIn(page, WHO)
    await page.waitForURL(/state=guessed/)
    expectEqual(await heading(page), 'Not logged in')
    await shot(page, 'not-logged-in')
    const { code, text } = await command.ended
    expectEqual(code, 6)
    expectText(text, 'CLI_LOGIN_STATE')
  },

  async 'refuses a login that was begun with another nonce'({ page, run, file }) {
    const command = run(['sign', file], NO_OPENER)
    const url = new URL(await command.printed(AUTH_PAGE))
    url.searchParams.set('nonce', 'of-somebody-else')
    await page.goto(url.href)
    await fillIn(page, WHO)
    await page.waitForURL(/\/auth\/callback/)
    const { code, text } = await command.ended
    expectEqual(code, 6)
    expectText(text, 'CLI_LOGIN_NONCE')
  },

  async 'takes one answer: the page opened again gets nothing'({ page, context, run, file }) {
    const command = run(['sign', file], NO_OPENER)
    await page.goto(await command.printed(AUTH_PAGE))
    await fillIn(page, WHO)
    await page.waitForURL(/\/auth\/callback/)
    const answered = page.url()
    expectEqual((await command.ended).code, 0)
    const second = await context.newPage()
    const refused = await second.goto(answered).then(
      (response) => response.status() >= 400,
      () => true,
    )
    expectEqual(refused, true)
  },

  async 'signs after a login on another device'(given) {
    const { page, run, file } = given
    const command = run(['sign', file, '--device'])
    await page.goto(await command.printed(DEVICE_PAGE))
    const code = await command.printed(/shows this code:\n\s+(\S+)/)
    if ((await heading(page)) === 'Log in on another device') {
      await shot(page, 'device-input')
      await page.getByRole('button', { name: 'Go on' }).click()
    }
    expectText(await page.getByRole('main').textContent(), code)
    await shot(page, 'device-confirm')
    await page.getByRole('button', { name: 'Yes, go on' }).click()
    await fillIn(page, WHO)
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor()
    await shot(page, 'device-done')
    expectEqual((await command.ended).code, 0)
    await verified(given)
  },

  async 'tells a person with a wrong device code'({ page, stack }) {
    await page.goto(`${stack.issuer}/device`)
    await shot(page, 'device-empty')
    await page.locator('input[name=user_code]').fill('AAAA-AAAA')
    await page.getByRole('button', { name: 'Go on' }).click()
    expectText(await page.getByRole('alert').textContent(), 'code')
    await shot(page, 'device-wrong')
  },

  async 'shows an old login page as what it is'({ page, stack }) {
    await page.goto(`${stack.issuer}/login/nothing-of-the-kind`)
    expectText(await page.getByRole('main').textContent(), 'too old')
    await shot(page, 'gone')
  },
}

/** Runs every story; `report(name, problem)` takes each outcome, with a problem when it failed. */
export async function run(report) {
  const folder = mkdtempSync(join(tmpdir(), 'touchmark-browser-'))
  let stack
  let browser
  try {
    ;[stack, browser] = await Promise.all([startStack(folder), launchChromium()])
    const all = new Stories(stack, browser, folder)
    for (const [name, story] of Object.entries(stories)) {
      const problem = await all.play(story).then(
        () => undefined,
        (error) => error?.stack ?? String(error),
      )
      report(`login: ${name}`, problem)
    }
  } finally {
    await browser?.close()
    await stack?.stop()
    await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
    rmSync(folder, { recursive: true, force: true })
  }
}
