// The real login of each client at the demonstration issuer; only the person at the browser is scripted.
import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { browse } from './fake-browser.mjs'
import { WHO } from './matrix.mjs'
import { root } from './stack.mjs'
import * as js from './sigstore-js.mjs'

const PATIENCE_MS = 60_000

/**
 * Runs a client whose login needs a person. `onText` sees all it prints so far and may write to its standard input.
 * Resolves with what it printed; rejects when it fails or takes too long.
 */
function runInteractive(command, args, { env, onText = () => undefined }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    let text = ''
    let stdout = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    const see = (chunk) => onText((text += chunk), child)
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      see(chunk)
    })
    child.stderr.on('data', see)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve({ text, stdout })
      else reject(new Error(`exit ${code}: ${text.trim().split('\n').slice(-2).join(' | ').slice(0, 300)}`))
    })
  })
}

/** Calls back once with the first match of a pattern in a growing text. */
function once(pattern, act) {
  let done = false
  return (text, child) => {
    const match = done ? null : pattern.exec(text)
    if (match === null) return
    done = true
    act(match, child)
  }
}

/** Opens the page, reads the code from it and types it. */
const typeCode = (pattern) =>
  once(pattern, (match, child) => {
    void browse(match[1]).then(({ html }) => child.stdin.end(`${/<code>([^<]+)<\/code>/.exec(html)?.[1] ?? ''}\n`))
  })

export async function testLogins({ stack, found, file, folder, report }) {
  console.log('\nlogins')
  const tools = join(folder, 'browser-bin')
  mkdirSync(tools)
  const opener = join(tools, 'xdg-open')
  copyFileSync(join(root, 'test', 'interop', 'fake-browser.mjs'), join(tools, 'fake-browser.mjs'))
  writeFileSync(opener, `#!/bin/sh\nexec "${process.execPath}" "${join(tools, 'fake-browser.mjs')}" "$@"\n`)
  chmodSync(opener, 0o755)
  const base = { ...stack.environment, FAKE_BROWSER_EMAIL: WHO }
  delete base.DISPLAY
  const browser = { ...base, PATH: `${tools}:${base.PATH}`, BROWSER: opener }
  const noBrowser = { ...base, BROWSER: 'false' }
  const out = (name) => join(folder, `login-${name}.json`)
  const verify = (bundle) =>
    stack.touchmark(
      'verify',
      file,
      '--bundle',
      bundle,
      '--certificate-identity',
      WHO,
      '--certificate-oidc-issuer',
      stack.issuer,
    )
  const login = async (title, work) => {
    const started = performance.now()
    const problem = await work().then(
      () => undefined,
      (error) => error.message,
    )
    report(`login: ${title}`, problem)
    console.log(
      `  ${title.padEnd(44)} ${problem === undefined ? 'ok' : 'FAILED'}  ${((performance.now() - started) / 1000).toFixed(1)} s`,
    )
  }
  const cosign = (name, flow, options) => async () => {
    const args = [
      'sign-blob',
      '-y',
      '--signing-config',
      stack.config,
      '--trusted-root',
      stack.root,
      '--fulcio-auth-flow',
      flow,
      '--bundle',
      out(name),
      file,
    ]
    await runInteractive(found.cosign, args, options)
    await verify(out(name))
  }
  const python = (name, flags, options) => async () => {
    await runInteractive(
      found.python,
      [
        '--trust-config',
        stack.trust,
        'sign',
        '--oidc-disable-ambient-providers',
        ...flags,
        '--bundle',
        out(name),
        file,
      ],
      options,
    )
    await verify(out(name))
  }
  const touchmark = (name, flags, options) => async () => {
    const args = [join(root, 'apps', 'cli', 'bin', 'touchmark.mjs'), 'sign', file, '--bundle', out(name), ...flags]
    await runInteractive(process.execPath, args, options)
    await verify(out(name))
  }
  const visit = (pattern) => once(pattern, (match) => void browse(match[1]))

  if (found.cosign) {
    await login('cosign, browser', cosign('cosign', 'normal', { env: browser }))
    await login(
      'cosign, code typed in',
      cosign('cosign-oob', 'normal', {
        env: noBrowser,
        onText: typeCode(/(http:\/\/localhost:\d+\/oidc\/auth\?\S*oob\S*)/),
      }),
    )
    await login(
      'cosign, device',
      cosign('cosign-device', 'device', {
        env: noBrowser,
        onText: visit(/(http:\/\/localhost:\d+\/oidc\/device\S*user_code=\S+)/),
      }),
    )
  }
  if (found.python) {
    await login('sigstore-python, browser', python('python', [], { env: browser }))
    await login(
      'sigstore-python, code typed in',
      python('python-oob', ['--oauth-force-oob'], {
        env: noBrowser,
        onText: typeCode(/(http:\/\/localhost:\d+\/oidc\/auth\?\S*oob\S*)/),
      }),
    )
  }
  if (found.jsCli) {
    await login('sigstore-js, browser', async () => {
      const { stdout } = await runInteractive(found.jsCli, ['token', '--issuer', stack.issuer], { env: browser })
      const token = /[\w-]+\.[\w-]+\.[\w-]+/.exec(stdout)?.[0]
      if (token === undefined) throw new Error('it printed no token')
      writeFileSync(out('js'), await js.sign(stack, token, Buffer.from('an artifact for everybody\n')))
      await verify(out('js'))
    })
  }
  const fresh = (name) => ({ TOUCHMARK_HOME: join(folder, `home-${name}`), TOUCHMARK_INSTANCE: stack.url })
  await login(
    'touchmark, browser',
    touchmark('touchmark', [], {
      env: { ...browser, ...fresh('browser'), DISPLAY: ':0', TOUCHMARK_BROWSER: 'system' },
    }),
  )
  await login(
    'touchmark, device',
    touchmark('touchmark-device', ['--device'], {
      env: { ...noBrowser, ...fresh('device') },
      onText: visit(/(http:\/\/localhost:\d+\/oidc\/device\S*user_code=\S+)/),
    }),
  )
}
