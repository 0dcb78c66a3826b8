import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { parsePublicKeyDer, parsePublicKeyPem, type PublicKey } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { base64Decode, equalBytes, pemDecodeAll } from '@touchmark/encoding'
import fc from 'fast-check'
import { formatCheckpoint, parseCheckpoint, signCheckpoint, verifyCheckpoint, type Checkpoint } from './checkpoint.js'
import { isV1Origin, keyNameOf, logIdOf, schemeOfLog } from './log-id.js'
import { formatSignedNote, parseSignedNote } from './signed-note.js'

interface RecordedLog {
  name: string
  origin: string
  publicKey: string
  logId: string
  checkpointKeyId: string
}
interface RecordedCheckpoint {
  log: string
  size: number
  envelope: string
}
const VECTORS = join(process.cwd(), 'test/vectors')
const json = <T>(path: string): T => JSON.parse(readFileSync(join(VECTORS, path), 'utf8')) as T
const logs = new Map(json<RecordedLog[]>('rekor-v2/logs.json').map((log) => [log.name, log]))
const checkpoints = json<RecordedCheckpoint[]>('rekor-v2/checkpoints.json')

function authorityOf(log: RecordedLog) {
  const key = parsePublicKeyPem(log.publicKey)
  return { origin: log.origin, key, logId: logIdOf(key, log.origin) }
}

describe('log ids', () => {
  it('are the recorded ones, for every type of key', () => {
    const kinds = new Set<string>()
    for (const log of logs.values()) {
      const { key, logId } = authorityOf(log)
      expect(logId).toEqual(base64Decode(log.logId))
      expect(Buffer.from(logId.subarray(0, 4)).toString('hex')).toBe(log.checkpointKeyId)
      kinds.add(key.type.kind)
    }
    expect([...kinds].sort()).toEqual(['ecdsa', 'ed25519', 'rsa'])
  })

  it('of an API v1 log are the hash of the key alone, whatever its type', () => {
    const { key } = authorityOf(logs.get('ed25519')!)
    expect(logIdOf(key, 'rekor.example.com - 1')).toEqual(nodeCrypto.hash('SHA2_256', key.spki))
    expect(logIdOf(key, 'rekor.example.com')).not.toEqual(nodeCrypto.hash('SHA2_256', key.spki))
  })

  it('know an API v1 origin by its end, as sigstore-go does', () => {
    expect(isV1Origin('rekor.example.com - 2605736670972794746')).toBe(true)
    expect(keyNameOf('rekor.example.com - 2605736670972794746')).toBe('rekor.example.com')
    for (const origin of ['rekor.example.com', 'a - b', 'a -1', 'a - 1x']) {
      expect(isV1Origin(origin)).toBe(false)
      expect(keyNameOf(origin)).toBe(origin)
    }
  })

  it('sign with the hash of the curve, and with SHA-256 in an API v1 log', () => {
    const key = authorityOf(logs.get('p384')!).key
    expect(schemeOfLog(key, 'x')).toEqual({ kind: 'ecdsa', hash: 'SHA2_384' })
    expect(schemeOfLog(key, 'x - 1')).toEqual({ kind: 'ecdsa', hash: 'SHA2_256' })
  })

  it('are refused for an RSA key of a size no log has', () => {
    const key: PublicKey = { ...authorityOf(logs.get('rsa2048')!).key, type: { kind: 'rsa', modulusBits: 1024 } }
    expect(() => schemeOfLog(key, 'x')).toThrowCode('TLOG_KEY_UNSUPPORTED')
  })
})

describe('recorded checkpoints', () => {
  it('verify, each under its key, and are written the same', () => {
    expect(checkpoints.length).toBeGreaterThanOrEqual(31)
    for (const { log, size, envelope } of checkpoints) {
      const checkpoint = verifyCheckpoint(envelope, authorityOf(logs.get(log)!), nodeCrypto)
      expect(checkpoint.size).toBe(BigInt(size))
      expect(formatCheckpoint(checkpoint)).toBe(parseSignedNote(envelope).text)
      expect(formatSignedNote(parseSignedNote(envelope))).toBe(envelope)
    }
  })

  it('of the log on disk verify', () => {
    const note = readFileSync(join(VECTORS, 'rekor-v2/log/checkpoint'), 'utf8')
    expect(verifyCheckpoint(note, authorityOf(logs.get('log')!), nodeCrypto).size).toBe(300n)
  })

  it('are refused under the key of any other log', () => {
    for (const { log, envelope } of checkpoints) {
      for (const other of logs.values()) {
        const own = logs.get(log)!
        if (own.logId === other.logId) continue
        expect(() => verifyCheckpoint(envelope, { ...authorityOf(other), origin: own.origin }, nodeCrypto)).toThrowCode(
          'TLOG_CHECKPOINT_SIGNATURE',
        )
      }
    }
  })

  it('are refused when a bit of text or signature is another', () => {
    const { log, envelope } = checkpoints[1]!
    const authority = authorityOf(logs.get(log)!)
    const other = envelope.replace('\n1\n', '\n2\n')
    expect(() => verifyCheckpoint(other, authority, nodeCrypto)).toThrowCode('TLOG_CHECKPOINT_SIGNATURE')
    const note = parseSignedNote(envelope)
    const line = note.signatures[0]!
    const signature = Uint8Array.from(line.signature)
    signature[10]! ^= 1
    const forged = formatSignedNote({ ...note, signatures: [{ ...line, signature }] })
    expect(() => verifyCheckpoint(forged, authority, nodeCrypto)).toThrowCode('TLOG_CHECKPOINT_SIGNATURE')
  })

  it('are refused for another origin', () => {
    const { log, envelope } = checkpoints[1]!
    const authority = authorityOf(logs.get(log)!)
    expect(() => verifyCheckpoint(envelope, { ...authority, origin: 'other.example.com' }, nodeCrypto)).toThrowCode(
      'TLOG_CHECKPOINT_ORIGIN',
    )
  })

  it('are refused when the right key signs under another name, or the key id is another', () => {
    const { log, envelope } = checkpoints[1]!
    const authority = authorityOf(logs.get(log)!)
    const note = parseSignedNote(envelope)
    const line = note.signatures[0]!
    const renamed = formatSignedNote({ ...note, signatures: [{ ...line, name: 'other.example.com' }] })
    expect(() => verifyCheckpoint(renamed, authority, nodeCrypto)).toThrowCode('TLOG_CHECKPOINT_SIGNATURE')
    const rehinted = formatSignedNote({ ...note, signatures: [{ ...line, keyId: Uint8Array.of(1, 2, 3, 4) }] })
    expect(() => verifyCheckpoint(rehinted, authority, nodeCrypto)).toThrowCode('TLOG_CHECKPOINT_SIGNATURE')
  })

  it('verify beside other signature lines, before and after', () => {
    const { log, envelope } = checkpoints[1]!
    const authority = authorityOf(logs.get(log)!)
    const note = parseSignedNote(envelope)
    const line = note.signatures[0]!
    const stranger = { name: 'witness', keyId: Uint8Array.of(1, 2, 3, 4), signature: Uint8Array.of(5) }
    const collision = { ...line, signature: Uint8Array.of(5) }
    const many = formatSignedNote({ ...note, signatures: [stranger, collision, line, stranger] })
    expect(verifyCheckpoint(many, authority, nodeCrypto).size).toBe(1n)
  })
})

interface V1Entry {
  logID: string
  verification?: { inclusionProof?: { checkpoint: string; treeSize: number } }
}

describe('recorded API v1 checkpoints', () => {
  const folder = join(VECTORS, 'rekor-v1')
  it('verify by key alone, the tree id unknown', () => {
    const keys = ['log.pub', 'log-shard2.pub'].map((name) => {
      const pem = readFileSync(join(folder, 'trust', name), 'utf8')
      return parsePublicKeyDer(pemDecodeAll(pem)[0]!.bytes)
    })
    let verified = 0
    for (const file of ['hashedrekord.json', 'shards.json', 'reads.json']) {
      const records = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        response: { status: number; body: string }
      }[]
      for (const { response } of records) {
        if (response.status > 201 || !response.body.startsWith('{')) continue
        for (const entry of Object.values(JSON.parse(response.body) as Record<string, V1Entry>)) {
          const proof = entry?.verification?.inclusionProof
          if (!proof) continue
          const key = keys.find(
            (one) => Buffer.from(nodeCrypto.hash('SHA2_256', one.spki)).toString('hex') === entry.logID,
          )!
          const logId = nodeCrypto.hash('SHA2_256', key.spki)
          expect(verifyCheckpoint(proof.checkpoint, { key, logId }, nodeCrypto).size).toBe(BigInt(proof.treeSize))
          const other = keys.find((one) => one !== key)!
          expect(() => verifyCheckpoint(proof.checkpoint, { key: other, logId }, nodeCrypto)).toThrowCode(
            'TLOG_CHECKPOINT_SIGNATURE',
          )
          verified++
        }
      }
    }
    expect(verified).toBeGreaterThan(5)
  })
})

describe('checkpoints', () => {
  const root = new Uint8Array(32).fill(7)
  let text: string
  beforeAll(() => {
    text = formatCheckpoint({ origin: 'log.example.com', size: 5n, root, extensions: ['extra'] })
  })

  it('are written and read', () => {
    expect(parseCheckpoint(text)).toEqual({ origin: 'log.example.com', size: 5n, root, extensions: ['extra'] })
  })

  it.each([
    ['two lines', (t: string) => t.split('\n').slice(0, 2).join('\n') + '\n'],
    ['no newline at the end', (t: string) => t.slice(0, -1)],
    ['a lone surrogate in the origin', (t: string) => t.replace('log', 'l\ud800g')],
    ['an empty origin', (t: string) => t.replace('log.example.com', '')],
    ['an empty extension', (t: string) => t.replace('extra', '')],
    ['a second blank line', (t: string) => `${t}\n`],
    ['a size with a leading zero', (t: string) => t.replace('\n5\n', '\n05\n')],
    ['a negative size', (t: string) => t.replace('\n5\n', '\n-5\n')],
    ['a size with white space', (t: string) => t.replace('\n5\n', '\n5 \n')],
    ['a size of 2^63', (t: string) => t.replace('\n5\n', '\n9223372036854775808\n')],
    ['a size of 20 digits', (t: string) => t.replace('\n5\n', '\n10000000000000000000\n')],
    ['a root that is too short', (t: string) => t.replace(/\n[^\n]{44}\n/, '\nBwcHBw==\n')],
    ['a root that is not base64', (t: string) => t.replace(/\n[^\n]{44}\n/, `\n${'*'.repeat(44)}\n`)],
    ['a carriage return after the size', (t: string) => t.replace('\n5\n', '\n5\r\n')],
    ['nothing', () => ''],
  ])('are refused with %s', (_, change) => {
    expect(() => parseCheckpoint(change(text))).toThrowCode('TLOG_CHECKPOINT_INVALID')
  })

  it('are not written with what would be read otherwise', () => {
    const good: Checkpoint = { origin: 'log.example.com', size: 5n, root, extensions: [] }
    for (const bad of [
      { ...good, origin: '' },
      { ...good, origin: 'a\nb' },
      { ...good, size: -1n },
      { ...good, size: 1n << 63n },
      { ...good, root: new Uint8Array(31) },
      { ...good, extensions: [''] },
      { ...good, extensions: ['a\nb'] },
    ]) {
      expect(() => formatCheckpoint(bad)).toThrowCode('TLOG_CHECKPOINT_INVALID')
    }
  })

  it('any text is refused, or is written the same', () => {
    const piece = fc.constantFrom(
      'log',
      '\n',
      '0',
      '5',
      '05',
      '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      'x',
      ' - 1',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 10 }).map((parts) => `${parts.join('\n')}\n`),
        ),
        (any) => {
          let checkpoint: Checkpoint
          try {
            checkpoint = parseCheckpoint(any)
          } catch (error) {
            expect((error as { code?: string }).code).toBe('TLOG_CHECKPOINT_INVALID')
            return
          }
          expect(formatCheckpoint(checkpoint)).toBe(any)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it.each(['log.example.com', 'log.example.com/2026', 'log.example.com - 42'])(
    'of %s are signed and verify',
    async (origin) => {
      const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
      const logId = logIdOf(signer.publicKey, origin)
      const note = await signCheckpoint({ origin, size: 9n, root, extensions: [] }, logId, signer)
      const checkpoint = verifyCheckpoint(note, { origin, key: signer.publicKey, logId }, nodeCrypto)
      expect(checkpoint.size).toBe(9n)
      expect(equalBytes(checkpoint.root, root)).toBe(true)
      expect(note.split('\n\n')).toHaveLength(2)
      expect(note.endsWith('\n')).toBe(true)
    },
  )

  it('are not signed with a hash that readers do not expect', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-384' })
    const origin = 'log.example.com - 42'
    const signing = signCheckpoint(
      { origin, size: 9n, root, extensions: [] },
      logIdOf(signer.publicKey, origin),
      signer,
    )
    await expect(signing).rejects.toThrowCode('TLOG_KEY_UNSUPPORTED')
  })
})
