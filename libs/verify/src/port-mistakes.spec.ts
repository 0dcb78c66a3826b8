import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Bundle, SignerMaterial } from '@touchmark/bundle'
import type { CryptoPort } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { TrustedRoot } from '@touchmark/trust'
import { digestAlgorithmsOf } from './index.js'
import { verifySigned } from './testing/verifying.js'
import { ATT, changeEntry, changeProof, make, prepareWorkshop, refused, root, V1, V2 } from './testing/workshop.js'

class Mistake extends Error {}

/** A port that makes a mistake at one of its calls, counted from 0. */
function failing(at: number): { readonly crypto: CryptoPort; readonly calls: () => number } {
  let calls = 0
  const step = <Args extends unknown[], T>(call: (...args: Args) => T) => {
    return (...args: Args): T => {
      if (calls++ === at) throw new Mistake('the port is broken')
      return call(...args)
    }
  }
  const { hash, verify, verifyDigest } = nodeCrypto
  return { crypto: { hash: step(hash), verify: step(verify), verifyDigest: step(verifyDigest) }, calls: () => calls }
}

/** By name: a TypeError of Node's own is none of this realm. */
const nameOf = (what: () => unknown): string | undefined => (refused(what) as Error | undefined)?.name

beforeAll(prepareWorkshop)

describe('a mistake that is not of the bundle', () => {
  it.each([V2, V1, ATT, '0.3 attestation, v1', '0.2 attestation, v1 intoto'])(
    'of the crypto port comes out as it is, at every step of verifying a %s',
    async (name) => {
      const signed = await make(name)
      // Also where another item of the root would do.
      const { tlogs, ctlogs, certificateAuthorities: cas, timestampAuthorities: tsas } = root
      const twice: TrustedRoot = {
        ...root,
        tlogs: [...tlogs, ...tlogs],
        ctlogs: [...ctlogs, ...ctlogs],
        certificateAuthorities: [...cas, ...cas],
        timestampAuthorities: [...tsas, ...tsas],
      }
      for (const trusted of [root, twice]) {
        const whole = failing(-1)
        verifySigned(signed, trusted, { crypto: whole.crypto })
        expect(whole.calls()).toBeGreaterThan(5)
        for (let at = 0; at < whole.calls(); at++)
          expect(() => verifySigned(signed, trusted, { crypto: failing(at).crypto })).toThrow(Mistake)
      }
    },
  )

  it('of the caller is no refusal', async () => {
    const signed = await make(V2)
    const withSigner = (signer: unknown): Bundle => ({ ...signed.bundle, signer: signer as SignerMaterial })
    for (const signer of [{ kind: 'certificate' }, { kind: 'chain', certificates: [undefined] }])
      expect(nameOf(() => verifySigned(signed, root, { bundle: withSigner(signer) }))).toBe('TypeError')
    const noNote = changeProof(signed, (proof) => ({ ...proof, checkpoint: undefined as never }))
    expect(nameOf(() => verifySigned(signed, root, { bundle: noNote }))).toBe('TypeError')
    const noBody = changeEntry(signed, () => ({ canonicalizedBody: undefined as never }))
    expect(nameOf(() => verifySigned(signed, root, { bundle: noBody }))).toBe('TypeError')
    const envelope = { payload: undefined as never, payloadType: '', signature: { sig: new Uint8Array(1), keyid: '' } }
    expect(nameOf(() => digestAlgorithmsOf({ ...signed.bundle, content: { kind: 'dsse', envelope } }))).toBe(
      'TypeError',
    )
  })
})
