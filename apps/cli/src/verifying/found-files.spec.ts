import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { OIDC_ISSUER, SAN, TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { verifyCommand, type VerifyOptions } from '../commands/verify.js'
import { testContext, type TestContext } from '../testing/context.js'
import { SignedFiles, WHO } from '../testing/signed-files.js'

const execFileAsync = promisify(execFile)

let instance: TestInstance
let context: TestContext
let files: SignedFiles
let who: VerifyOptions

beforeAll(async () => {
  instance = await TestInstance.create()
})
beforeEach(async () => {
  context = await testContext()
  files = new SignedFiles(instance, context.folder)
  who = { ...WHO, trustedRoot: files.root }
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

interface FileJson {
  file: string
  verified: boolean
  error?: { code: string; hint: string; found?: string }
}
async function json(named: string[], options: VerifyOptions = who): Promise<FileJson[]> {
  process.exitCode = 0
  const said = { out: '' }
  await verifyCommand({ ...context, json: true, out: (text) => void (said.out += text) }, named, options)
  const document = JSON.parse(said.out) as { verified: boolean; files: FileJson[] }
  expect(document.verified).toBe(process.exitCode === 0)
  return document.files
}
const codes = (list: FileJson[]): unknown[] => list.map(({ error, verified }) => (verified ? 'verified' : error!.code))
const policy = (rules: unknown[]): VerifyOptions => {
  const dev = { identity: SAN.value, issuer: OIDC_ISSUER }
  const eve = { identity: 'eve@example.com', issuer: OIDC_ISSUER }
  const path = files.write('policy.json', JSON.stringify({ version: 1, signers: { dev, eve }, rules }))
  return { policy: path, trustedRoot: files.root }
}

describe('what is found in a folder', () => {
  it('fails for every link to a folder, also for one inside: what is behind it has another name there', async () => {
    await files.add('dist/free/tool')
    symlinkSync('free', files.path('dist/release'))
    symlinkSync('..', files.path('dist/free/round'))
    // By its name below `release` it would need another signer.
    const options = policy([
      { files: ['**/release/**', '**/release'], signers: ['eve'] },
      { files: ['**'], signers: ['dev'] },
    ])
    const list = await json([files.path('dist')], options)
    expect(list.map(({ file, error }) => [file.slice(files.path('dist/').length), error?.code, error?.found])).toEqual([
      ['free/round', 'CLI_FILE_UNREADABLE', 'it is a link to a folder'],
      ['free/tool', undefined, undefined],
      ['release', 'CLI_FILE_UNREADABLE', 'it is a link to a folder'],
    ])
    expect(list[0]!.error!.hint).toContain('--exclude')
    const left = { ...who, exclude: ['round', 'release'] }
    expect(codes(await json([files.path('dist')], left))).toEqual(['verified'])
  })

  it('holds no file for a digest: its name is what somebody else wrote', async () => {
    const { artifact } = await files.add('dist/a')
    const name = `sha256:${createHash('sha256').update(artifact).digest('hex')}`
    rmSync(files.path('dist/a'))
    files.write(`dist/${name}`, 'other bytes')
    files.write(`dist/${name}.sigstore.json`, readFileSync(files.path('dist/a.sigstore.json')))
    rmSync(files.path('dist/a.sigstore.json'))
    const before = process.cwd()
    process.chdir(files.path('dist'))
    try {
      for (const folder of ['.', './', files.path('dist')]) {
        const [one, ...others] = await json([folder])
        expect([one!.error?.code, others]).toEqual(['VERIFY_ARTIFACT_CHANGED', []])
      }
      expect(codes(await json([`./${name}`]))).toEqual(['VERIFY_ARTIFACT_CHANGED'])
      // A pattern of a shell may have written it: nobody can know what was meant.
      const bundle = `./${name}.sigstore.json`
      await expect(verifyCommand(context, [name], { ...who, bundle })).rejects.toMatchObject({
        code: 'CLI_USAGE',
        details: { hint: expect.stringContaining(`./${name}`) },
      })
      rmSync(name)
      expect(codes(await json([name], { ...who, bundle }))).toEqual(['verified'])
    } finally {
      process.chdir(before)
    }
  })

  it('is the one that the system opens, also where .. leads out of a link', async () => {
    await files.add('real/dist/a')
    mkdirSync(files.path('real/deep'))
    symlinkSync('real/deep', files.path('link'))
    files.write('dist/a', 'another folder')
    const named = `${context.folder}/link/../dist`
    const list = await json([named, files.path('dist')])
    expect(list.map(({ file, verified }) => [file, verified])).toEqual([
      [`${named}/a`, true],
      [files.path('dist/a'), false],
    ])
    // Two names of one file, and two files of what looks like one name.
    expect(codes(await json([`${named}/a`, files.path('real/dist/a'), files.path('dist/a')]))).toEqual([
      'verified',
      'CLI_BUNDLE_MISSING',
    ])
    const where = `${realpathSync(context.folder)}/real/dist/*`
    const options = policy([{ files: [where], signers: ['dev'] }])
    expect(codes(await json([named], options))).toEqual(['verified'])
    expect(codes(await json([`${named}/a`], options))).toEqual(['verified'])
  })

  it('does not wait for pipes nor read devices that it finds', async () => {
    await files.add('dist/a')
    const pipe = files.path('dist/pipe')
    execFileSync('mkfifo', [pipe])
    symlinkSync('/dev/zero', files.path('dist/zero'))
    expect((await json([files.path('dist')])).map(({ error }) => error?.found)).toEqual([
      undefined,
      'it is a pipe',
      'it is a link to a device',
    ])
    for (const [target, found] of [
      [pipe, 'it is a pipe'],
      ['/dev/zero', 'it is a device'],
    ] as const) {
      rmSync(files.path('dist/a.sigstore.json'))
      symlinkSync(target, files.path('dist/a.sigstore.json'))
      expect(await json([files.path('dist/a')])).toMatchObject([{ error: { code: 'CLI_FILE_UNREADABLE', found } }])
    }
  })

  it('may be told of a pipe by name, of which no more is read than may be', async () => {
    await files.add('a')
    const pipe = files.path('pipe')
    execFileSync('mkfifo', [pipe])
    const writing = execFileAsync('cp', [files.path('a.sigstore.json'), pipe])
    expect(codes(await json([files.path('a')], { ...who, bundle: pipe }))).toEqual(['verified'])
    await writing
    expect(await json([files.path('a')], { ...who, bundle: '/dev/zero' })).toMatchObject([
      { error: { code: 'CLI_FILE_UNREADABLE', found: expect.stringMatching(/^it is larger than/) } },
    ])
    expect(await json(['/dev/zero'], { ...who, bundle: files.path('a.sigstore.json') })).toMatchObject([
      { error: { code: 'CLI_FILE_UNREADABLE', found: expect.stringMatching(/^it is larger than/) } },
    ])
  })
})
