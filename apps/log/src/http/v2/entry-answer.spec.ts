import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { entryAnswer } from './entry-answer.js'

describe('entryAnswer', () => {
  const bytes = fc.uint8Array({ maxLength: 100 })
  const proof = fc.record({
    size: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
    root: bytes,
    hashes: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 5 }),
    // Origins are host names, but what is written must be JSON whatever a note says.
    checkpoint: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('log.example.com\n7\nAAAA\n\n\u2014 log.example.com AAAA\n'),
    ),
  })

  it('is the JSON of the entry, for whatever there is to say', () => {
    fc.assert(
      fc.property(proof, bytes, fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (given, body, index) => {
        const entry = { kind: 'hashedrekord', version: '0.0.2', body } as const
        const answer = entryAnswer(entry, { index, body, duplicate: false, proof: given }, 'bG9n')
        const base64 = (part: Uint8Array): string => Buffer.from(part).toString('base64')
        const wanted = {
          logIndex: String(index),
          logId: { keyId: 'bG9n' },
          kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
          integratedTime: '0',
          inclusionPromise: null,
          inclusionProof: {
            logIndex: String(index),
            rootHash: base64(given.root),
            treeSize: String(given.size),
            hashes: given.hashes.map(base64),
            checkpoint: { envelope: given.checkpoint },
          },
          canonicalizedBody: base64(body),
        }
        expect(answer.toString()).toBe(JSON.stringify(wanted))
      }),
    )
  })
})
