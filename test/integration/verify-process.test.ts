import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testContext } from '../../apps/cli/src/testing/context.js'
import { INSTANCE_URL, ServedInstance } from '../../apps/cli/src/testing/instance.js'
import { ATTESTATION, MESSAGE_BY_KEY, SignedFiles } from '../../apps/cli/src/testing/signed-files.js'
import { useInstance } from '../../apps/cli/src/trust-store.js'
import { OIDC_ISSUER, SAN } from '../../libs/verify/src/testing/instance.js'

const BIN = join(process.cwd(), 'apps', 'cli', 'bin', 'touchmark.mjs')
const preload = (name: string): string => `--import=${pathToFileURL(join(process.cwd(), 'test', 'support', name)).href}`
const NO_NETWORK = preload('no-network.mjs')

let folder: string
let files: SignedFiles
let who: string[]
let byRoot: string[]
let key: string
let many: string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'touchmark-verify-'))
  const served = await ServedInstance.create()
  files = new SignedFiles(served.instance, folder)
  many = Array.from({ length: 24 }, (_, i) => `many/${String(i).padStart(2, '0')}`)
  for (const name of many) await files.add(name)
  await files.add('attested', ATTESTATION)
  key = files.keyOf(await files.add('by-key', MESSAGE_BY_KEY))
  who = ['--certificate-identity', SAN.value, '--certificate-oidc-issuer', OIDC_ISSUER]
  byRoot = ['--trusted-root', files.root]
  files.write(
    'policy.json',
    JSON.stringify({
      version: 1,
      signers: { dev: { identity: SAN.value, issuer: OIDC_ISSUER } },
      rules: [{ files: ['**'], signers: ['dev'] }],
    }),
  )
  // An instance that was trusted before, when there was a network.
  const context = await testContext({ fetch: served.fetch })
  await useInstance({ ...context, home: join(folder, 'home') }, INSTANCE_URL, {})
  await context.remove()
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `touchmark`; `options` are Node's. */
function run(args: string[], options = '', command = [process.execPath, BIN]): Promise<Ended> {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: options, TOUCHMARK_HOME: join(folder, 'home') }
  delete env['TOUCHMARK_INSTANCE']
  return new Promise((resolve, reject) => {
    const [program, ...before] = command
    const child = spawn(program!, [...before, ...args], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (data: Buffer) => (said.stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (said.stderr += data.toString()))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...said }))
  })
}

const forms = (): [string, string[]][] => [
  ['an identity, the instance that was trusted before', ['verify', 'many/00', ...who, '--instance', INSTANCE_URL]],
  ['an identity, the instance that was chosen before', ['verify', 'many/00', ...who]],
  ['an identity and a trusted root', ['verify', 'many/00', ...who, ...byRoot]],
  ['a key', ['verify', 'by-key', '--key', key]],
  ['a key and a trusted root', ['verify', 'by-key', '--key', key, ...byRoot]],
  ['a policy', ['verify', 'many', '--policy', 'policy.json', ...byRoot]],
  ['threads', ['verify', 'many', ...who, '--threads', '2']],
  ['an attestation', ['verify-attestation', 'attested', ...who]],
]

describe('verifying needs no network', () => {
  it('is what the test could tell', async () => {
    const ended = await run(['trust', 'use', 'http://127.0.0.1:1'], NO_NETWORK)
    expect(ended).toMatchObject({ signal: 'SIGKILL', stderr: expect.stringContaining('network: ') })
  }, 30_000)

  it('with any way of saying who must have signed', async () => {
    for (const [, args] of forms()) {
      expect(await run(args, NO_NETWORK)).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/^verified /),
      })
    }
  }, 60_000)

  it('nor when it fails', async () => {
    const stranger = ['--certificate-identity', 'eve@example.com', '--certificate-oidc-issuer', OIDC_ISSUER]
    expect(await run(['verify', 'many/00', ...stranger], NO_NETWORK)).toMatchObject({ code: 4, stdout: '' })
    expect(await run(['verify', 'root.json', ...who], NO_NETWORK)).toMatchObject({ code: 3, stdout: '' })
  }, 30_000)

  // Where the system lets a process give up its network, it is done without any preload.
  const without = ['unshare', '--map-root-user', '--net']
  const permitted = spawnSync(without[0]!, [...without.slice(1), 'true']).status === 0
  ;(permitted ? it : it.skip)(
    'in a process that has none',
    async () => {
      for (const [, args] of forms()) {
        expect(await run(args, '', [...without, process.execPath, BIN])).toMatchObject({ code: 0, stderr: '' })
      }
    },
    60_000,
  )
})

describe('threads', () => {
  it('say what one thread says, in the same order, also of failures', async () => {
    files.write('many/07', 'changed')
    files.write('many/13.sigstore.json', '{}')
    try {
      const args = ['verify', 'many', ...who, '--json']
      const [alone, two] = await Promise.all([run([...args, '--threads', '0']), run([...args, '--threads', '2'])])
      expect(two).toEqual(alone)
      expect(alone).toMatchObject({ code: 3, stderr: '' })
      const document = JSON.parse(alone.stdout) as { verified: boolean; counts: object; files: { file: string }[] }
      expect(document.files.map(({ file }) => file)).toEqual(many)
      expect(document).toMatchObject({ verified: false, counts: { files: 24, verified: 22, failed: 2 } })
    } finally {
      await files.add('many/07')
      await files.add('many/13')
    }
  }, 60_000)
})

describe('whatever goes wrong, the exit code is not 0 and standard output is empty', () => {
  it('when the verifier fails in a way that nobody foresaw', async () => {
    for (const args of [['many/00'], ['many'], ['many', '--threads', '2'], ['many', '--json', '--threads', '2']]) {
      const { code, stdout, stderr } = await run(['verify', ...args, ...who], preload('broken-crypto.mjs'))
      expect(code).toBe(1)
      if (args.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'UNEXPECTED' } })
      else expect([stdout, stderr]).toEqual(['', expect.stringContaining('a fault of ours')])
    }
  }, 60_000)

  it('when memory runs out', async () => {
    files.write('large', 'large')
    files.write('large.sigstore.json', `{"mediaType":[${'0,'.repeat(15_000_000)}0]}`)
    const { code, stdout } = await run(['verify', 'large', ...who], '--max-old-space-size=32')
    expect([code === 0, stdout]).toEqual([false, ''])
    rmSync(files.path('large.sigstore.json'))
  }, 60_000)

  it('when nobody reads standard output', async () => {
    for (const args of [['many/00'], ['many'], ['many', '--json']]) {
      const shell = `"$0" "$@" | true; exit \${PIPESTATUS[0]}`
      const ended = await run(['verify', ...args, ...who], '', [
        'bash',
        '-c',
        `sleep 0; ${shell}`,
        process.execPath,
        BIN,
      ])
      expect([args, ended.code]).toEqual([args, 1])
    }
  }, 60_000)
})
