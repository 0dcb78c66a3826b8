import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { equalBytes, pemEncode, utf8Encode } from '@touchmark/encoding'
import { encodeTrustedRoot } from '@touchmark/trust'
import { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { EXIT } from '../exit-codes.js'
import { testContext, type TestContext } from '../testing/context.js'
import { staticFiles } from '../testing/tile-log.js'
import { logFsck, type FsckOptions } from './fsck.js'

const SIZE = 600
let instance: TestInstance
let honest: Map<string, Uint8Array>
let context: TestContext
let folder: string

beforeAll(async () => {
  instance = await TestInstance.create()
  for (let i = instance.v2.leaves.length; i < SIZE; i++) instance.v2.leaves.push(utf8Encode(`{"entry":${i}}`))
  honest = await staticFiles(instance.v2)
})
beforeEach(async () => {
  // Another suite of this process may have left one.
  process.exitCode = undefined
  context = await testContext({ json: true })
  folder = join(context.folder, 'log')
  for (const [path, bytes] of honest) await put(path, bytes)
  await put('../root.json', utf8Encode(encodeTrustedRoot(instance.trustedRoot)))
})
afterEach(async () => {
  process.exitCode = undefined
  await context.remove()
})

async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), bytes)
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = Uint8Array.from(honest.get(path)!)
  bytes[at]! ^= 1
  await put(path, bytes)
}

function keyOf(logId: Uint8Array): Uint8Array {
  return instance.trustedRoot.tlogs.find((log) => equalBytes(log.logId, logId))!.publicKey.rawBytes
}

interface Result {
  consistent: boolean
  logs: { origin: string; size: string; root: string; differences: Record<string, string>[] }[]
}

async function fsck(options: Partial<FsckOptions> = {}): Promise<Result> {
  context.said.out = ''
  await logFsck(context, { url: folder, trustedRoot: join(context.folder, 'root.json'), threads: 0, ...options })
  return JSON.parse(context.said.out) as Result
}

describe('log fsck of a folder', () => {
  it('finds a whole log consistent', async () => {
    const result = await fsck()
    expect(result).toMatchObject({ consistent: true, logs: [{ size: '600', differences: [] }] })
    expect(process.exitCode).toBeUndefined()
    expect(await fsck({ url: pathToFileURL(folder).href })).toMatchObject({ consistent: true })
  })

  it.each([
    ['tile/entries/001', 5, { kind: 'entry', entry: '256', path: 'tile/0/001', blame: 'entry' }],
    ['tile/0/000', 33, { kind: 'entry', entry: '1', path: 'tile/0/000', blame: 'tile' }],
    ['tile/1/000.p/2', 33, { kind: 'tile', entry: '256', path: 'tile/1/000.p/2', blame: 'tile' }],
    ['checkpoint', 30, { kind: 'checkpoint', path: 'checkpoint' }],
  ] as const)('names a byte that was changed in %s, with an exit code of its own', async (path, at, found) => {
    await flip(path, at)
    const { consistent, logs } = await fsck()
    expect(consistent).toBe(false)
    expect(logs[0]!.differences).toContainEqual(expect.objectContaining(found))
    expect(process.exitCode).toBe(EXIT.damaged)
  })

  it('says in words what differs', async () => {
    await flip('tile/0/000', 33)
    context = { ...context, json: false }
    await logFsck(context, { url: folder, trustedRoot: join(context.folder, 'root.json'), threads: 0 })
    expect(context.said.out).toMatch(
      /DAMAGED: 1 difference\n- entry: entry 1 does not hash to its place in tile\/0\/000/,
    )
  })

  it('takes the key from a file, and names a checkpoint that another key signed', async () => {
    const file = join(context.folder, 'key.pem')
    await writeFile(file, pemEncode('PUBLIC KEY', keyOf(instance.v2.logId)))
    expect(await fsck({ publicKey: file })).toMatchObject({ consistent: true })
    await writeFile(file, pemEncode('PUBLIC KEY', keyOf(instance.v1.logId)))
    const { logs } = await fsck({ publicKey: file })
    expect(logs[0]!.differences).toEqual([expect.objectContaining({ kind: 'checkpoint' })])
  })

  it('wants the origin that is named', async () => {
    const { logs } = await fsck({ log: 'other.example.com' })
    expect(logs[0]!.differences).toEqual([
      expect.objectContaining({ kind: 'checkpoint', expected: 'other.example.com' }),
    ])
  })

  it('leaves no state when it came to its end, and refuses one that is broken', async () => {
    const file = join(context.folder, 'state')
    expect(await fsck({ resume: file })).toMatchObject({ consistent: true })
    expect(await readdir(context.folder)).not.toContain('state')
    await writeFile(file, 'half a sta')
    await expect(fsck({ resume: file })).rejects.toThrowCode('AUDIT_STATE_INVALID')
  })

  it('refuses what cannot be meant', async () => {
    await expect(fsck({ database: true })).rejects.toThrowCode('CLI_USAGE')
    await expect(fsck({ url: 'ftp://example.com' })).rejects.toThrowCode('CLI_USAGE')
    await expect(fsck({ url: join(folder, 'nowhere') })).rejects.toThrowCode('CLI_USAGE')
    await expect(fsck({ url: 'http://user@example.com/' })).rejects.toThrowCode('CLI_USAGE')
  })

  it('says that a service is not there, not that its log is damaged', async () => {
    await expect(fsck({ url: 'http://127.0.0.1:9/api/v2' })).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
    expect(process.exitCode).toBeUndefined()
  })
})
