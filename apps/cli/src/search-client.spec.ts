import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Signer } from '@touchmark/crypto'
import { generateSigner } from '@touchmark/crypto/node'
import { base64Encode, pemEncode } from '@touchmark/encoding'
import { leafHash } from '@touchmark/merkle'
import { signCheckpoint } from '@touchmark/tlog'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestInstance } from '../../../libs/verify/src/testing/instance.js'
import type { TestLog } from '../../../libs/verify/src/testing/test-log.js'
import { signedBody } from '../../../test/integration/support/search-bodies.js'
import { logSearch, type SearchOptions } from './commands/search.js'
import { testContext, type TestContext } from './testing/context.js'
import { INSTANCE_URL, ServedInstance } from './testing/instance.js'

const HOSTILE = 'ada@example.com\u001b[2J\u202e'

interface Page {
  logs: Record<string, unknown>[]
  hits: { [member: string]: unknown; inclusionProof: Record<string, unknown> }[]
  next?: unknown
}

let served: ServedInstance
let first: Page
let second: Page
let context: TestContext
let asked: URL[]
/** Changes what the instance answers. */
let lie: (page: Page) => unknown

async function logJson(log: TestLog, indexedSize: number): Promise<Record<string, unknown>> {
  const { checkpoint, treeSize, rootHash } = await log.prove(0)
  return {
    origin: log.origin,
    logId: base64Encode(log.logId),
    kind: 'signature-v2',
    indexedSize: String(indexedSize),
    treeSize: String(treeSize),
    rootHash: base64Encode(rootHash),
    checkpoint,
  }
}

async function hitJson(log: TestLog, index: number): Promise<Page['hits'][number]> {
  const { hashes, treeSize, rootHash } = await log.prove(index)
  return {
    origin: log.origin,
    logIndex: String(index),
    leafHash: base64Encode(leafHash(log.leaves[index]!)),
    body: base64Encode(log.leaves[index]!),
    inclusionProof: { treeSize: String(treeSize), rootHash: base64Encode(rootHash), hashes: hashes.map(base64Encode) },
  }
}

beforeAll(async () => {
  served = await ServedInstance.create()
  const { v1, v2 } = served.instance as TestInstance
  for (const log of [v1, v2]) {
    log.leaves.push(signedBody('one', { identity: 'ada@example.com', issuer: 'https://oidc.example.com' }))
    log.leaves.push(signedBody('two', { identity: HOSTILE }))
  }
  const logs = [await logJson(v1, 3), await logJson(v2, 2)]
  first = { logs, hits: [await hitJson(v1, 1), await hitJson(v2, 1)], next: '1.1_1.1' }
  second = { logs, hits: [await hitJson(v2, 2)] }
})
beforeEach(async () => {
  asked = []
  lie = (page) => page
  served.override = (url) => {
    if (!url.startsWith(`${INSTANCE_URL}/api/touchmark/v1/search?`)) return undefined
    asked.push(new URL(url))
    const page = structuredClone(new URL(url).searchParams.has('after') ? second : first)
    const answer = lie(page)
    return answer instanceof Response ? answer : new Response(JSON.stringify(answer))
  }
  context = await testContext({ fetch: served.fetch })
})
afterEach(() => context.remove())

// The two identities differ only in what a terminal would obey: --any and the first of them would find one.
const ISSUER = 'https://oidc.example.com'
const search = (options: Partial<SearchOptions> = {}): Promise<void> =>
  logSearch(context, { instance: INSTANCE_URL, identity: HOSTILE, issuer: ISSUER, any: true, ...options })

describe('touchmark log search', () => {
  it('proves every entry, pages, and says how far the answer is complete', async () => {
    await search()
    expect(asked.map(({ searchParams }) => Object.fromEntries(searchParams))).toEqual([
      { identity: HOSTILE, issuer: ISSUER, operator: 'or', limit: '20' },
      { identity: HOSTILE, issuer: ISSUER, operator: 'or', limit: '18', after: '1.1_1.1' },
    ])
    const { out } = context.said
    expect(out).toContain('3 entries, proven')
    expect(out).toContain('ada@example.com\\u001b[2j\\u202e')
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u001b\u202e]/)
    expect(out).toContain(`complete  up to 2 of 3 entries of ${served.instance.v2.origin}`)
    expect(out).toContain('touchmark verify')
  })

  it('gives the same as JSON', async () => {
    const json = await testContext({ fetch: served.fetch, json: true })
    await logSearch(json, { instance: INSTANCE_URL, identity: HOSTILE, issuer: ISSUER, any: true, limit: 2 })
    const answer = JSON.parse(json.said.out) as { hits: Record<string, unknown>[]; more: boolean; logs: object[] }
    expect(answer.more).toBe(true)
    expect(answer.hits).toHaveLength(2)
    expect(answer.logs[1]).toMatchObject({ origin: served.instance.v2.origin, indexedSize: '2', treeSize: '3' })
    await json.remove()
  })

  it('takes a key from a file, and says what it cannot search for', async () => {
    lie = (page) => ({ ...page, hits: [], next: undefined })
    const file = join(context.folder, 'key.pem')
    await writeFile(file, pemEncode('PUBLIC KEY', generateSigner({ kind: 'ecdsa', curve: 'P-256' }).publicKey.spki))
    await logSearch(context, { instance: INSTANCE_URL, publicKey: file })
    expect(asked[0]!.searchParams.get('publicKey')).toMatch(/^[0-9a-f]{64}$/)
    expect(context.said.out).toContain('nothing found')
    await expect(logSearch(context, { instance: INSTANCE_URL })).rejects.toThrowCode('CLI_USAGE')
    await expect(logSearch(context, { instance: INSTANCE_URL, digest: 'x' })).rejects.toThrowCode(
      'ENTRY_SEARCH_INVALID',
    )
    await writeFile(file, 'nothing')
    await expect(logSearch(context, { instance: INSTANCE_URL, publicKey: file })).rejects.toThrowCode('CLI_USAGE')
  })

  const forged = async (signer: Signer): Promise<string> => {
    const { origin, logId } = served.instance.v2
    return signCheckpoint({ origin, size: 3n, root: new Uint8Array(32), extensions: [] }, logId, signer)
  }
  const lies: [string, (page: Page) => unknown, string][] = [
    ['an entry that has not what was asked for', (page) => void (page.hits[0]!['body'] = base64Encode(served.instance.v1.leaves[0]!)), 'MERKLE_PROOF_INVALID'], // prettier-ignore
    ['a proof of another entry', (page) => void (page.hits[0]!.inclusionProof['hashes'] = []), 'MERKLE_PROOF_INVALID'],
    ['another index', (page) => void (page.hits[0]!['logIndex'] = '2'), 'MERKLE_PROOF_INVALID'],
    ['an index beyond the tree', (page) => void (page.hits[0]!['logIndex'] = '9'), 'MERKLE_PROOF_INVALID'],
    ['the wrong index form', (page) => void (page.hits[0]!['logIndex'] = 1), 'CLI_INSTANCE_ANSWER'],
    ['an entry of a log that is not named', (page) => void (page.logs.length = 0), 'CLI_INSTANCE_ANSWER'],
    ['an entry twice', (page) => void page.hits.push(page.hits[0]!), 'CLI_INSTANCE_ANSWER'],
    ['a log that nobody trusts', (page) => void (page.logs[0]!['logId'] = base64Encode(new Uint8Array(32))), 'CLI_TRUST_UNKNOWN'], // prettier-ignore
    [
      'a log under another host name',
      (page) => void (page.logs[1]!['origin'] = 'evil.example.com'),
      'CLI_TRUST_UNKNOWN',
    ],
    ['the checkpoint of another log', (page) => void (page.logs[1]!['checkpoint'] = page.logs[0]!['checkpoint']), 'TLOG_CHECKPOINT_ORIGIN'], // prettier-ignore
    ['more indexed than there is', (page) => void (page.logs[1]!['indexedSize'] = '4'), 'CLI_INSTANCE_ANSWER'],
    ['a proof that is no list', (page) => void (page.hits[0]!.inclusionProof['hashes'] = {}), 'CLI_INSTANCE_ANSWER'],
    ['no base64', (page) => void (page.hits[0]!['body'] = '!'), 'CLI_INSTANCE_ANSWER'],
    ['a list', () => [], 'CLI_INSTANCE_ANSWER'],
    ['null', () => new Response('null'), 'CLI_INSTANCE_ANSWER'],
    ['text', () => new Response('<html>'), 'CLI_INSTANCE_ANSWER'],
    ['a refusal', () => new Response('{}', { status: 400 }), 'CLI_INSTANCE_ANSWER'],
    ['no such route', () => new Response('', { status: 404 }), 'CLI_INSTANCE_ANSWER'],
  ]

  it.each(lies)('refuses %s', async (_what, change, code) => {
    lie = (page) => change(page) ?? page
    await expect(search()).rejects.toThrowCode(code)
    expect(context.said.out).toBe('')
  })

  it('refuses an entry of the log that has not what was asked for', async () => {
    await expect(search({ any: false })).rejects.toThrowCode('CLI_INSTANCE_ANSWER')
    expect(context.said.out).toBe('')
  })

  it('refuses a checkpoint that another key signed, and one of another tree', async () => {
    const [byStranger, ofOtherTree] = [
      await forged(generateSigner({ kind: 'ecdsa', curve: 'P-256' })),
      await forged(served.instance.v2.signer),
    ]
    lie = ({ logs: [v1, v2], ...page }) => ({ ...page, logs: [v1, { ...v2, checkpoint: byStranger }] })
    await expect(search()).rejects.toThrowCode('TLOG_CHECKPOINT_SIGNATURE')
    lie = ({ logs: [v1, v2], ...page }) => ({ ...page, logs: [v1, { ...v2, checkpoint: ofOtherTree }] })
    await expect(search()).rejects.toThrowCode('MERKLE_PROOF_INVALID')
  })

  it('leaves an instance that only ever says that there is more', async () => {
    let pages = 0
    lie = () => ({ logs: [], hits: [], next: `${++pages}` })
    await search()
    expect(pages).toBe(10_000)
    expect(context.said.out).toContain('There are more')
  })
})
