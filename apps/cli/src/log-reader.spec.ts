import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { generateSigner } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { encodeEntryBundle, signCheckpoint } from '@touchmark/tlog'
import { TestInstance } from '../../../libs/verify/src/testing/instance.js'
import { logProve, logShow } from './commands/log.js'
import { LogReader } from './log-reader.js'
import { testContext, type TestContext } from './testing/context.js'
import { staticFiles } from './testing/tile-log.js'

const SIZE = 300
let instance: TestInstance
let honest: Map<string, Uint8Array>
let files: Map<string, Uint8Array>
let context: TestContext

beforeAll(async () => {
  instance = await TestInstance.create()
  for (let i = instance.v2.leaves.length; i < SIZE; i++) instance.v2.leaves.push(utf8Encode(`{"entry":${i}}`))
  honest = await staticFiles(instance.v2)
})
beforeEach(async () => {
  files = new Map(honest)
  context = await testContext({
    fetch: async (url) => {
      const file = files.get(url.replace('https://log2026.example.com/api/v2/', ''))
      return file === undefined ? new Response('no such tile', { status: 404 }) : new Response(Uint8Array.from(file))
    },
  })
})
afterEach(() => context.remove())

const reader = (): LogReader => new LogReader(context, instance.trustedRoot)

const flip = (path: string, at: number): void => {
  const bytes = Uint8Array.from(files.get(path)!)
  bytes[at]! ^= 1
  files.set(path, bytes)
}

describe('LogReader', () => {
  it.each([0n, 1n, 255n, 256n, 299n])('reads and proves entry %d', async (index) => {
    const entry = await reader().entry(index)
    expect(entry.body).toEqual(instance.v2.leaves[Number(index)])
    expect(entry.checkpoint.size).toBe(300n)
    expect(entry.proof).toEqual((await instance.v2.prove(Number(index))).hashes)
  })

  it.each([-1n, 300n, 10n ** 18n])('says that there is no entry %d', async (index) => {
    await expect(reader().entry(index)).rejects.toThrowCode('CLI_ENTRY_NOT_FOUND')
  })

  it('takes the log that is asked for, and knows when the root has none', async () => {
    const root = instance.trustedRoot
    expect(new LogReader(context, root, instance.v1.logId).url).toBe('https://rekor.example.com')
    expect(() => new LogReader(context, root, new Uint8Array(32))).toThrowCode('CLI_TRUST_UNKNOWN')
    expect(() => new LogReader(context, { ...root, tlogs: [] })).toThrowCode('CLI_TRUST_UNKNOWN')
  })

  describe('against a log that lies', () => {
    const lies: [string, () => void | Promise<void>, string][] = [
      [
        'another entry at the place',
        () => {
          const bodies = instance.v2.leaves.slice(256)
          files.set('tile/entries/001.p/44', encodeEntryBundle([utf8Encode('{"forged":1}'), ...bodies.slice(1)]))
        },
        'MERKLE_PROOF_INVALID',
      ],
      [
        'fewer entries than it says',
        () => void files.set('tile/entries/001.p/44', encodeEntryBundle([])),
        'CLI_INSTANCE_ANSWER',
      ],
      [
        'an entry bundle cut off',
        () => void files.set('tile/entries/001.p/44', utf8Encode('\u0000')),
        'TLOG_ENTRY_BUNDLE_INVALID',
      ],
      ['another hash in a tile', () => flip('tile/0/001.p/44', 33), 'MERKLE_PROOF_INVALID'],
      ['another hash for a whole tile', () => flip('tile/1/000.p/1', 0), 'MERKLE_PROOF_INVALID'],
      ['a tile that is too short', () => void files.set('tile/0/001.p/44', new Uint8Array(32)), 'MERKLE_NODE_MISSING'],
      [
        'a tile that is no row of hashes',
        () => void files.set('tile/0/001.p/44', new Uint8Array(33)),
        'TLOG_TILE_INVALID',
      ],
      ['no tile', () => void files.delete('tile/1/000.p/1'), 'CLI_INSTANCE_ANSWER'],
      ['no entries', () => void files.delete('tile/entries/001.p/44'), 'CLI_INSTANCE_ANSWER'],
      ['no checkpoint', () => void files.delete('checkpoint'), 'CLI_INSTANCE_ANSWER'],
      ['a checkpoint that is changed', () => flip('checkpoint', 25), 'TLOG_CHECKPOINT_SIGNATURE'],
      [
        'a checkpoint signed by another key',
        async () => {
          const root = new Uint8Array(32)
          const checkpoint = { origin: 'log2026.example.com', size: 300n, root, extensions: [] }
          const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
          // The key id is the trusted log's: only the signature gives it away.
          files.set('checkpoint', utf8Encode(await signCheckpoint(checkpoint, instance.v2.logId, signer)))
        },
        'TLOG_CHECKPOINT_SIGNATURE',
      ],
      [
        'the checkpoint of another log',
        async () => {
          const { checkpoint } = await (await TestInstance.create()).v2.prove(0)
          files.set('checkpoint', utf8Encode(checkpoint!))
        },
        'TLOG_CHECKPOINT_SIGNATURE',
      ],
      [
        'a checkpoint of a tree with another root',
        async () => {
          const checkpoint = { origin: 'log2026.example.com', size: 300n, root: new Uint8Array(32), extensions: [] }
          files.set('checkpoint', utf8Encode(await signCheckpoint(checkpoint, instance.v2.logId, instance.v2.signer)))
        },
        'MERKLE_PROOF_INVALID',
      ],
      ['a checkpoint that is no text', () => void files.set('checkpoint', Uint8Array.of(0xff, 0xfe)), 'ENCODING_UTF8'],
    ]

    it.each(lies)('refuses %s', async (_name, lie, code) => {
      await lie()
      const error: unknown = await reader()
        .entry(256n)
        .catch((thrown: unknown) => thrown)
      expect(isCodedError(error)).toBe(true)
      expect((error as { code: string }).code).toBe(code)
    })

    it.each(lies)('prints nothing on standard output on %s', async (_name, lie) => {
      await lie()
      await expect(show(context)).rejects.toBeDefined()
      expect(context.said.out).toBe('')
    })
  })
})

/** `log show` and `log prove` at the entry that the lies are about. */
async function show(trusting: TestContext): Promise<void> {
  const { ServedInstance, INSTANCE_URL } = await import('./testing/instance.js')
  const served = new ServedInstance(instance)
  const fetch: TestContext['http']['fetch'] = (url, init) =>
    url.includes('/trust/') ? served.fetch(url, init) : trusting.http.fetch(url, init)
  const whole = { ...trusting, http: { ...trusting.http, fetch } }
  await logProve(whole, '256', { instance: INSTANCE_URL })
  await logShow(whole, '256', { instance: INSTANCE_URL })
}

describe('touchmark log', () => {
  it('needs an index or a bundle, and not both', async () => {
    for (const index of [undefined, '', '-1', '1.5', 'x', '1'.repeat(20)])
      await expect(logProve(context, index, {})).rejects.toThrowCode('CLI_USAGE')
    await expect(logProve(context, '1', { bundle: 'x' })).rejects.toThrowCode('CLI_USAGE')
    await expect(logShow(context, 'x', {})).rejects.toThrowCode('CLI_USAGE')
  })
})
