import { expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { ArtifactDigests } from './artifact.js'

it('no digest at all is refused before anything is compared with it', () => {
  expect(() => new ArtifactDigests({ digests: new Map() }, nodeCrypto)).toThrowCode('VERIFY_DIGEST_ALGORITHM')
  const one = new Map([['SHA2_384', new Uint8Array(48)] as const])
  expect(new ArtifactDigests({ digests: one }, nodeCrypto).describe('SHA2_256')).toEqual({
    algorithm: 'SHA2_384',
    digest: new Uint8Array(48),
  })
})
