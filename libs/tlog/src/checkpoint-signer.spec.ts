import { describe, expect, it } from '@jest/globals'
import type { SignatureScheme } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { signCheckpoint, verifyCheckpoint } from './checkpoint.js'
import { isV1Origin, keyNameOf, logIdOf } from './log-id.js'
import { formatSignedNote, parseSignedNote } from './signed-note.js'

const origin = 'log.example.com'
const checkpoint = { origin, size: 9n, root: new Uint8Array(32), extensions: [] }

function detailsOf(check: () => unknown): unknown {
  try {
    check()
  } catch (error) {
    return (error as { details: unknown }).details
  }
  throw new Error('nothing was refused')
}

describe('the signer of a checkpoint', () => {
  it('signs in the way that readers expect, not in another with the same hash', async () => {
    const rsa = generateSigner({ kind: 'rsa', modulusBits: 2048 })
    const logId = logIdOf(rsa.publicKey, origin)
    const note = await signCheckpoint(checkpoint, logId, rsa)
    expect(verifyCheckpoint(note, { origin, key: rsa.publicKey, logId }, nodeCrypto).size).toBe(9n)
    const ecdsa: SignatureScheme = { kind: 'ecdsa', hash: 'SHA2_256' }
    const other = { publicKey: rsa.publicKey, scheme: ecdsa, sign: (bytes: Uint8Array) => rsa.sign(bytes) }
    await expect(signCheckpoint(checkpoint, logId, other)).rejects.toThrowCode('TLOG_KEY_UNSUPPORTED')
  })

  it('may have an Ed25519 key, whose signatures name no hash', async () => {
    const signer = generateSigner({ kind: 'ed25519' })
    const logId = logIdOf(signer.publicKey, origin)
    const note = await signCheckpoint(checkpoint, logId, signer)
    expect(verifyCheckpoint(note, { origin, key: signer.publicKey, logId }, nodeCrypto).size).toBe(9n)
  })

  it('is told apart from who signed instead', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const logId = logIdOf(signer.publicKey, origin)
    const note = parseSignedNote(await signCheckpoint(checkpoint, logId, signer))
    const [line] = note.signatures
    const renamed = formatSignedNote({ ...note, signatures: [{ ...line!, name: 'witness' }] })
    expect(detailsOf(() => verifyCheckpoint(renamed, { key: signer.publicKey, logId }, nodeCrypto))).toMatchObject({
      expected: `a signature by ${origin}`,
      found: 'witness',
    })
  })
})

describe('an origin', () => {
  it('of two lines is no API v1 origin, whatever the second looks like', () => {
    expect(isV1Origin('a\nb - 1')).toBe(false)
    expect(keyNameOf('a\nb - 1')).toBe('a\nb - 1')
  })
})
