import { describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode } from '@touchmark/encoding'
import { logIdOf, verifyCheckpoint } from '@touchmark/tlog'
import type { LogHead, LogKind } from '../types.js'
import { isCertificateLeaf } from './certificate-leaf.js'
import { signHead, treeHeadBytes, type HeadSigner } from './sign-head.js'

const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const root = new Uint8Array(32).fill(1)
const otherRoot = new Uint8Array(32).fill(2)
const START = '2026-12-01T00:00:00.000Z'

function headSigner(
  kind: LogKind = 'signature-v2',
  by: Signer = signer,
  deadlineMs = 1000,
): HeadSigner & { clock: ManualClock } {
  const origin = 'log.example.com'
  return {
    kind,
    origin,
    logId: logIdOf(signer.publicKey, origin),
    signer: by,
    clock: new ManualClock(START),
    deadlineMs,
  }
}
function previous(size: bigint, timestamp?: bigint): LogHead {
  const head = { size, root, note: '', at: new Date(START) }
  return timestamp === undefined ? head : { ...head, treeHead: { timestamp, signature: new Uint8Array(8) } }
}
function leafOf(timestamp: bigint): Uint8Array {
  const body = new Uint8Array(20)
  new DataView(body.buffer).setBigUint64(2, timestamp)
  return body
}

describe('signing a head', () => {
  it('signs the checkpoint of the size and root', async () => {
    const by = headSigner()
    const head = await signHead(by, { size: 5n, root, previous: previous(4n), added: [] })
    const authority = { origin: by.origin, key: signer.publicKey, logId: by.logId }
    expect(verifyCheckpoint(head.note, authority, nodeCrypto)).toMatchObject({ size: 5n, extensions: [] })
    expect(head.at).toEqual(new Date(START))
    expect(head.treeHead).toBeUndefined()
  })

  it('refuses a head that is smaller than the last', async () => {
    const signing = signHead(headSigner(), { size: 3n, root, previous: previous(4n), added: [] })
    await expect(signing).rejects.toThrowCode('LEDGER_CORRUPT')
  })

  it('refuses a second root of one size, and signs the same one again', async () => {
    const by = headSigner()
    await expect(signHead(by, { size: 4n, root: otherRoot, previous: previous(4n), added: [] })).rejects.toThrowCode(
      'LEDGER_CORRUPT',
    )
    expect((await signHead(by, { size: 4n, root, previous: previous(4n), added: [] })).size).toBe(4n)
  })

  it('does not wait longer for the signer than its deadline', async () => {
    const slow: Signer = {
      publicKey: signer.publicKey,
      scheme: signer.scheme,
      sign: () => new Promise(() => undefined),
    }
    const signing = signHead(headSigner('signature-v2', slow, 10), { size: 5n, root, previous: undefined, added: [] })
    await expect(signing).rejects.toThrowCode('LEDGER_SIGNER_FAILED')
  })

  it('says that the signer failed when it does', async () => {
    const broken: Signer = {
      publicKey: signer.publicKey,
      scheme: signer.scheme,
      sign: () => Promise.reject(new Error('no such key version')),
    }
    const signing = signHead(headSigner('signature-v2', broken), { size: 5n, root, previous: undefined, added: [] })
    await expect(signing).rejects.toThrowCode('LEDGER_SIGNER_FAILED')
  })
})

describe('the tree head of a certificate log', () => {
  it('has the bytes of RFC 6962 §3.5', () => {
    const bytes = hexEncode(treeHeadBytes(0x0102030405060708n, 0x1112n, root))
    expect(bytes).toBe(`0001${'0102030405060708'}${'0000000000001112'}${'01'.repeat(32)}`)
  })

  it('is signed, as a DigitallySigned', async () => {
    const head = await signHead(headSigner('certificate'), { size: 5n, root, previous: undefined, added: [] })
    const { timestamp, signature } = head.treeHead!
    expect(timestamp).toBe(BigInt(new Date(START).getTime()))
    expect([...signature.subarray(0, 2)]).toEqual([4, 3])
    expect((signature[2]! << 8) | signature[3]!).toBe(signature.length - 4)
    const message = treeHeadBytes(timestamp, 5n, root)
    expect(nodeCrypto.verify(signer.publicKey, signer.scheme, message, signature.subarray(4))).toBe(true)
  })

  it('never goes back in time, whatever the clock does', async () => {
    const by = headSigner('certificate')
    const last = BigInt(by.clock.now().getTime()) + 5000n
    const head = await signHead(by, { size: 5n, root, previous: previous(4n, last), added: [] })
    expect(head.treeHead!.timestamp).toBe(last + 1n)
  })

  it('is no earlier than the SCT of any entry', async () => {
    const by = headSigner('certificate')
    const later = BigInt(by.clock.now().getTime()) + 700n
    const head = await signHead(by, { size: 5n, root, previous: previous(4n, 1n), added: [leafOf(later), leafOf(3n)] })
    expect(head.treeHead!.timestamp).toBe(later)
  })
})

describe('certificate leaves', () => {
  it('begin as RFC 6962 §3.4 says', () => {
    const good = Uint8Array.of(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 99)
    expect(isCertificateLeaf(good)).toBe(true)
    for (const [at, value] of [
      [0, 1],
      [1, 1],
      [10, 1],
      [11, 2],
    ] as const) {
      const bad = good.slice()
      bad[at] = value
      expect(isCertificateLeaf(bad)).toBe(false)
    }
    expect(isCertificateLeaf(good.slice(0, 12))).toBe(false)
    expect(isCertificateLeaf(new Uint8Array(0))).toBe(false)
  })
})
