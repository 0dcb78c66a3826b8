import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { equalBytes, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { parseCheckpoint, parseSignedNote } from '@touchmark/tlog'
import fc from 'fast-check'
import { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { TestLog } from '../../../../libs/verify/src/testing/test-log.js'
import { LogReader } from '../log-reader.js'
import { testContext, type TestContext } from '../testing/context.js'
import { staticFiles } from '../testing/tile-log.js'

jest.setTimeout(60_000)

/** Everything that a log of this size serves. */
type Served = Map<string, Uint8Array>

const BEFORE = 'https://log2026.example.com/api/v2/'
const SIZES = [1, 2, 5, 255, 256, 257, 300]
/** Where the second tree parts from the first. */
const FORK_AT = 5

let instance: TestInstance
/** Two trees signed with the key of the log: the same up to FORK_AT, and another from there on. */
let branches: [Map<number, Served>, Map<number, Served>]
let context: TestContext
let served: (path: string) => Uint8Array | undefined

beforeAll(async () => {
  instance = await TestInstance.create()
  const { signer, origin } = instance.v2
  const branch = async (name: (index: number) => string): Promise<Map<number, Served>> => {
    const bySize = new Map<number, Served>()
    for (const size of SIZES) {
      const log = new TestLog(signer, origin)
      for (let i = 1; i < size; i++) log.leaves.push(utf8Encode(name(i)))
      bySize.set(size, await staticFiles(log))
    }
    return bySize
  }
  branches = [await branch((i) => `entry ${i}`), await branch((i) => (i < FORK_AT ? `entry ${i}` : `other ${i}`))]
})
beforeEach(async () => {
  context = await testContext({
    fetch: async (url) => {
      const file = served(url.slice(BEFORE.length))
      return file === undefined ? new Response('', { status: 404 }) : new Response(Uint8Array.from(file))
    },
  })
})
afterEach(() => context.remove())

const show = (branch: 0 | 1, size: number): void => {
  const files = branches[branch].get(size)!
  served = (path) => files.get(path)
}
/** A new reader, as each command has. */
const read = async (): Promise<bigint> =>
  (await new LogReader(context, instance.trustedRoot).checkpoint()).checkpoint.size
const kept = (): string => {
  const folder = join(context.home, 'heads')
  return join(folder, readdirSync(folder)[0]!)
}

describe('the head that was seen before', () => {
  it('is followed as the log grows, across commands', async () => {
    for (const size of SIZES) {
      show(0, size)
      expect(await read()).toBe(BigInt(size))
      expect(await read()).toBe(BigInt(size))
    }
    expect(statSync(kept()).mode & 0o777).toBe(0o600)
  })

  it('is not given up for a smaller tree', async () => {
    show(0, 256)
    await read()
    const before = readFileSync(kept(), 'utf8')
    show(0, 255)
    await expect(read()).rejects.toThrowCode('CLI_LOG_WENT_BACK')
    expect(readFileSync(kept(), 'utf8')).toBe(before)
  })

  it.each([257, 256])('is not given up for another tree of %d entries', async (size) => {
    show(0, 256)
    await read()
    const before = readFileSync(kept(), 'utf8')
    show(1, size)
    await expect(read()).rejects.toThrowCode('CLI_LOG_FORKED')
    expect(readFileSync(kept(), 'utf8')).toBe(before)
  })

  it('is not moved by tiles of the tree that it knows under a head that it does not', async () => {
    show(0, 256)
    await read()
    const [known, other] = [branches[0].get(300)!, branches[1].get(300)!]
    served = (path) => (path === 'checkpoint' ? other : known).get(path)
    await expect(read()).rejects.toThrowCode('CLI_LOG_FORKED')
  })

  it('needs the tiles that prove it', async () => {
    show(0, 5)
    await read()
    const files = branches[0].get(300)!
    served = (path) => (path === 'checkpoint' ? files.get(path) : undefined)
    await expect(read()).rejects.toThrowCode('CLI_INSTANCE_ANSWER')
    show(0, 257)
    expect(await read()).toBe(257n)
  })

  it('names both heads, and the file that is evidence', async () => {
    show(0, 256)
    await read()
    show(1, 300)
    await expect(read()).rejects.toMatchObject({
      details: {
        expected: expect.stringContaining('256 entries, root '),
        found: expect.stringContaining('300 entries, root '),
        hint: expect.stringContaining(kept()),
      },
    })
  })

  it.each(['', 'no note', 'log2026.example.com\n9\nAAAA\n\n— log2026.example.com AAAA\n', 'x'.repeat((4 << 20) + 1)])(
    'is missed when the file holds something else (case %#)',
    async (text) => {
      show(0, 256)
      await read()
      writeFileSync(kept(), text)
      for (const size of [5, 256, 300]) {
        show(0, size)
        await expect(read()).rejects.toMatchObject({
          code: 'CLI_LOG_MEMORY_UNREADABLE',
          details: { hint: expect.stringContaining(kept()) },
        })
      }
      expect(readFileSync(kept(), 'utf8')).toBe(text)
      rmSync(kept())
      show(0, 5)
      expect(await read()).toBe(5n)
    },
  )

  it('is missed when the file cannot be opened', async () => {
    show(0, 256)
    await read()
    const file = kept()
    rmSync(file)
    mkdirSync(file)
    await expect(read()).rejects.toThrowCode('CLI_LOG_MEMORY_UNREADABLE')
  })

  it.each([70_000, 330_000])('is not forgotten when the log pads its checkpoint with %d characters', async (length) => {
    const pad = (size: number): void => {
      const files = new Map(branches[0].get(size)!)
      // Lines of signatures by names that nobody knows, of three bytes a character.
      const line = `— ${'\u4e00'.repeat(length)} ${Buffer.alloc(68).toString('base64')}\n`
      files.set('checkpoint', utf8Encode(utf8Decode(files.get('checkpoint')!) + line))
      served = (path) => files.get(path)
    }
    pad(256)
    await read()
    expect(statSync(kept()).size).toBeGreaterThan(3 * length)
    show(0, 255)
    await expect(read()).rejects.toThrowCode('CLI_LOG_WENT_BACK')
    show(0, 300)
    expect(await read()).toBe(300n)
  })

  describe('while another command keeps one', () => {
    /** What the other command sees is shown at the first request for a checkpoint, and read before that is answered. */
    const meanwhile = async (own: [0 | 1, number], others: [0 | 1, number]): Promise<bigint> => {
      let first = true
      const racing = await testContext({
        fetch: async (url, init) => {
          if (first) {
            first = false
            show(...others)
            await read()
          }
          // The log shows everything of its tree but the head to both.
          const files = branches[own[0]].get(300)!
          const heads = branches[own[0]].get(own[1])!
          served = (path) => heads.get(path) ?? files.get(path)
          return context.http.fetch(url, init)
        },
      })
      try {
        const shared = { ...racing, home: context.home }
        return (await new LogReader(shared, instance.trustedRoot).checkpoint()).checkpoint.size
      } finally {
        await racing.remove()
      }
    }
    const keptSize = (): bigint => parseCheckpoint(parseSignedNote(readFileSync(kept(), 'utf8')).text).size

    it.each<[number, number, bigint]>([
      [256, 300, 300n],
      [300, 256, 300n],
      [300, 300, 300n],
    ])('it keeps the newer one of %d and %d', async (own, others, size) => {
      show(0, 5)
      await read()
      expect(await meanwhile([0, own], [0, others])).toBe(BigInt(own))
      expect(keptSize()).toBe(size)
    })

    it.each<[number, number]>([
      [256, 300],
      [300, 256],
      [300, 300],
    ])('it finds out a log that shows each another tree, of %d and %d', async (own, others) => {
      show(0, 5)
      await read()
      await expect(meanwhile([0, own], [1, others])).rejects.toThrowCode('CLI_LOG_FORKED')
      expect(keptSize()).toBe(BigInt(others))
    })
  })
})

/** One answer set of a malicious log: which head it signs, and whose files it serves beside it. */
interface Move {
  readonly head: readonly [0 | 1, number]
  readonly files: readonly [0 | 1, number]
  readonly entry: number
}

describe('a log that answers as it likes, with the right key', () => {
  const place = fc.tuple(fc.constantFrom(0 as const, 1 as const), fc.constantFrom(...SIZES))
  const move: fc.Arbitrary<Move> = fc.record({ head: place, files: place, entry: fc.nat(299) })

  it('shows one growing tree, or is found out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 2, maxLength: 8 }), async (moves) => {
        const world = await testContext({ fetch: (url, init) => context.http.fetch(url, init) })
        try {
          const believed: { size: bigint; root: Uint8Array; bodies: [number, string][] }[] = []
          for (const { head, files, entry } of moves) {
            const [heads, tiles] = [branches[head[0]].get(head[1])!, branches[files[0]].get(files[1])!]
            served = (path) => (path === 'checkpoint' ? heads : tiles).get(path)
            try {
              const proven = await new LogReader(world, instance.trustedRoot).entry(BigInt(entry))
              const { size, root } = proven.checkpoint
              believed.push({ size, root, bodies: [[entry, utf8Decode(proven.body)]] })
            } catch (error) {
              if (!isCodedError(error)) throw error
            }
          }
          // What was believed is one branch: each head is one of it, no head is smaller than one before, and every entry is of it.
          const fits = (branch: Map<number, Served>): boolean =>
            believed.every(({ size, root, bodies }, i) => {
              const note = utf8Decode(branch.get(Number(size))!.get('checkpoint')!)
              const grows = i === 0 || believed[i - 1]!.size <= size
              const own = branch === branches[0] ? 'entry' : 'other'
              return (
                grows &&
                equalBytes(parseCheckpoint(parseSignedNote(note).text).root, root) &&
                bodies.every(
                  ([index, body]) =>
                    body === (index === 0 ? '{"genesis":true}' : `${index < FORK_AT ? 'entry' : own} ${index}`),
                )
              )
            })
          expect(branches.some(fits)).toBe(true)
        } finally {
          await world.remove()
        }
      }),
      { numRuns: 80 },
    )
  })
})
