// The samples of docs/cli.md: what the real program prints against a real stack, with what differs from run to run put into one form.
// A sample is one line of SAMPLES; `npm run docs:samples` writes it between its marks in the page, and test/e2e/samples.test.ts compares.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FaultProxy } from '../fault/support/fault-proxy.mjs'

const BIN = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'bin', 'touchmark.mjs')
const WHO = '--certificate-identity ada@example.com --certificate-oidc-issuer http://localhost:8360/oidc'
const TOKEN = '--identity-token token'
const BUSY = { kind: 'status', status: 503, body: '{"code":14,"message":"the log is not ready","details":[]}' }

/**
 * name: of the marks in the page. run: command lines, as a person types them. fault: what is wrong with a service meanwhile. home: one of its own.
 * before: what is done to the folder first. environment: more variables, shown with the command.
 */
export const SAMPLES = [
  { name: 'trust use', run: ['trust use http://localhost:8360'] },
  { name: 'sign', run: [`sign app.tar.gz notes.txt ${TOKEN}`] },
  { name: 'verify', run: [`verify app.tar.gz ${WHO}`] },
  { name: 'verify many', run: [`verify app.tar.gz notes.txt unsigned.txt ${WHO}`] },
  { name: 'whoami', run: [`whoami ${TOKEN}`] },
  { name: 'doctor', run: [`doctor ${TOKEN}`] },
  { name: 'failure: there already', run: [`sign app.tar.gz ${TOKEN}`] },
  {
    name: 'failure: changed',
    before: ({ write }) => write('notes.txt', 'changed\n'),
    run: [`verify notes.txt ${WHO}`],
  },
  { name: 'failure: somebody else', run: [`verify app.tar.gz ${WHO.replace('ada', 'eve')}`] },
  { name: 'failure: no bundle', run: [`verify unsigned.txt ${WHO}`] },
  { name: 'failure: nobody named', run: ['verify app.tar.gz'] },
  { name: 'failure: broken token', run: ['sign unsigned.txt --identity-token broken-token'] },
  { name: 'failure: refused token', run: ['sign unsigned.txt --identity-token changed-token'] },
  { name: 'failure: log busy', fault: ['log', BUSY], run: [`sign unsigned.txt ${TOKEN}`] },
  {
    name: 'failure: authority silent',
    fault: ['ca', { kind: 'hang' }],
    environment: { TOUCHMARK_TIMEOUT: '1' },
    run: [`sign unsigned.txt ${TOKEN}`],
  },
  { name: 'failure: portal', fault: ['tsa', { kind: 'garbage' }], run: [`sign unsigned.txt ${TOKEN}`] },
  { name: 'failure: nobody there', home: 'other', run: [`sign unsigned.txt ${TOKEN} --instance http://localhost:9`] },
  { name: 'failure: no instance', home: 'none', run: [`sign unsigned.txt ${TOKEN}`], chosen: false },
  {
    name: 'failure: other root',
    home: 'pinned',
    run: [`sign unsigned.txt ${TOKEN} --root-fingerprint sha256:${'0'.repeat(64)}`],
  },
  { name: 'failure: doctor', run: ['doctor --identity-token broken-token'] },
]

/** Prepares the folder: artifacts and tokens. `token` is a good one. */
function prepare(folder, token) {
  const write = (name, content) => writeFileSync(join(folder, name), content)
  mkdirSync(folder, { recursive: true })
  for (const name of ['app.tar.gz', 'notes.txt', 'unsigned.txt']) write(name, `the content of ${name}\n`)
  write('token', token)
  write('broken-token', 'not a token\n')
  // Another signature over the same claims.
  write('changed-token', token.replace(/\.[^.]{4}([^.]*)$/, '.AAAA$1'))
  return write
}

function runOnce(words, { folder, home, environment }) {
  const all = { ...process.env, ...environment, TOUCHMARK_HOME: join(folder, '.home', home), NO_COLOR: '1' }
  for (const name of ['NODE_OPTIONS', 'SIGSTORE_ID_TOKEN', 'TOUCHMARK_ROOT_FINGERPRINT', 'CI', 'GITHUB_ACTIONS'])
    delete all[name]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...words], { cwd: folder, env: all, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.once('close', (code) => resolve({ code, text }))
  })
}

/** Puts ports, times, durations, indexes and digests that differ from run to run into one form; `kept` are digests that do not. */
export function normalised(text, { ports, kept, folder }) {
  let entry = 0
  const digests = new Map()
  const digest = (hex) => {
    if (kept.has(hex)) return kept.get(hex)
    if (!digests.has(hex)) digests.set(hex, createHash('sha256').update(`sample ${digests.size}`).digest('hex'))
    return digests.get(hex)
  }
  return text
    .replaceAll(`${folder}/`, '')
    .replace(/\b(localhost|127\.0\.0\.1):(\d+)/g, (all, host, port) => (ports.has(port) ? `${host}:8360` : all))
    .replace(/\b[0-9a-f]{64}\b/g, digest)
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-11-22T18:53:19.000Z')
    .replace(/(log entry +)\d+/g, (_all, before) => `${before}${++entry}`)
    .replace(/\b\d+(\.\d+)? ms\b/g, '50 ms')
    .replace(/has \d+ entries/g, 'has 3 entries')
    .replace(/\(in \d+ min\)/g, '(in 9 min)')
    .replace(/this clock (is|agrees).* localhost/g, 'this clock is 0.3 s behind localhost')
    .replace(/\b[Nn]ode(\.js)? v?\d+\.\d+\.\d+/g, 'Node.js 20.20.2')
}

/** Runs every sample against a stack. Resolves with the text of each, by name, and its exit codes. */
export async function makeSamples({ url, folder, token }) {
  const write = prepare(folder, token)
  const files = ['app.tar.gz', 'notes.txt', 'unsigned.txt'].map((name) => readFileSync(join(folder, name)))
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')
  const kept = new Map([...files, 'changed\n'].map((bytes) => [hash(bytes), hash(bytes)]))
  kept.set('0'.repeat(64), '0'.repeat(64))
  const ports = new Set([new URL(url).port])
  const made = new Map()
  for (const sample of SAMPLES) {
    sample.before?.({ write })
    const home = sample.home ?? 'home'
    const proxy = sample.fault === undefined ? undefined : await FaultProxy.start(url, url)
    try {
      const instance = proxy?.url ?? url
      if (proxy !== undefined) ports.add(new URL(proxy.url).port)
      const environment = {
        ...sample.environment,
        ...(sample.chosen === false ? {} : { TOUCHMARK_INSTANCE: instance }),
      }
      if (proxy !== undefined) {
        await runOnce(['trust', 'use', instance], { folder, home, environment })
        proxy.fault(...sample.fault)
      }
      const blocks = []
      for (const line of sample.run) {
        const words = line.replaceAll('http://localhost:8360', instance).split(' ')
        const { code, text } = await runOnce(words, { folder, home, environment })
        if (line.startsWith('trust use'))
          for (const [hex] of text.matchAll(/\b[0-9a-f]{64}\b/g)) kept.set(hex, hash('root'))
        const shown = Object.entries(sample.environment ?? {}).map(([name, value]) => `${name}=${value} `)
        const exit = code === 0 ? '' : `(exit code ${code})\n`
        blocks.push(`$ ${shown.join('')}touchmark ${line}\n${normalised(text, { ports, kept, folder })}${exit}`)
      }
      made.set(sample.name, blocks.join('\n'))
    } finally {
      await proxy?.close()
    }
  }
  return made
}

const begin = (name) => `<!-- sample: ${name} -->\n\n\`\`\`text\n`
const END = '```\n\n<!-- end of sample -->\n'

/** The samples that stand in a page, by name. */
export function samplesOf(page) {
  const pattern = /<!-- sample: (.+?) -->\n\n```text\n([^]*?)```\n\n<!-- end of sample -->\n/g
  return new Map([...page.matchAll(pattern)].map(([, name, text]) => [name, text]))
}

/** The page with the text of each sample put between its marks. Throws when a sample has no place in the page. */
export function withSamples(page, made) {
  for (const [name, text] of made) {
    const start = page.indexOf(`<!-- sample: ${name} -->`)
    if (start < 0) throw new Error(`docs/cli.md has no place for the sample: <!-- sample: ${name} -->`)
    const mark = '<!-- end of sample -->\n'
    const end = page.indexOf(mark, start)
    page = `${page.slice(0, start)}${begin(name)}${text}${END}${page.slice(end + mark.length)}`
  }
  return page
}
