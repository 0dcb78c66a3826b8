import { describe, expect, it } from '@jest/globals'
import { generateSigner } from '@touchmark/crypto/node'
import type { TrustedRoot } from '@touchmark/trust'
import type { Policy } from './index.js'
import { TestInstance } from './testing/instance.js'
import { sign, type Signed } from './testing/signing.js'
import { IDENTITIES, verifySigned } from './testing/verifying.js'
import { distinctAuthorities } from './threshold.js'

describe('distinctAuthorities', () => {
  it('counts neither one key under two names nor one name with two keys twice', () => {
    expect(distinctAuthorities([])).toBe(0)
    expect(distinctAuthorities([{ name: 'a', keyHex: '1' }])).toBe(1)
    expect(
      distinctAuthorities([
        { name: 'a', keyHex: '1' },
        { name: 'b', keyHex: '1' },
      ]),
    ).toBe(1)
    expect(
      distinctAuthorities([
        { name: 'a', keyHex: '1' },
        { name: 'a', keyHex: '2' },
      ]),
    ).toBe(1)
    expect(
      distinctAuthorities([
        { name: 'a', keyHex: '1' },
        { name: 'b', keyHex: '2' },
      ]),
    ).toBe(2)
  })
})

describe('thresholds', () => {
  it('are met by as many different authorities, and by no fewer', async () => {
    const [one, two] = [await TestInstance.create(), await TestInstance.create()]
    // The second instance's logs and timestamp authority, beside the first's, under names of their own.
    const renamed = two.trustedRoot
    const root: TrustedRoot = {
      ...one.trustedRoot,
      tlogs: [...one.trustedRoot.tlogs, ...renamed.tlogs.map((log) => ({ ...log, baseUrl: `${log.baseUrl}/second` }))],
      ctlogs: [
        ...one.trustedRoot.ctlogs,
        ...renamed.ctlogs.map((log) => ({ ...log, baseUrl: 'https://ct2.example.com' })),
      ],
      timestampAuthorities: [
        ...one.trustedRoot.timestampAuthorities,
        ...renamed.timestampAuthorities.map((tsa) => ({ ...tsa, uri: 'https://tsa2.example.com' })),
      ],
    }
    const scts: { tbs?: Uint8Array } = {}
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const signed = await sign(one, {
      signer,
      leaf: {
        changeTbs: (tbs) => (scts.tbs ??= tbs) && tbs,
        // Both instances' CAs have the same names; the second log signs for the first CA's key.
        scts: async (own) => [own, await one.sct(scts.tbs!, undefined, two.ctSigner)],
      },
    })
    const [entry] = signed.bundle.tlogEntries
    const second = await two.v2.append(entry!.canonicalizedBody, 'hashedrekord', '0.0.2', {})
    const { content } = signed.bundle
    const signature = content.kind === 'message' ? content.message.signature : new Uint8Array()
    const bundle = {
      ...signed.bundle,
      tlogEntries: [entry!, second],
      timestamps: [...signed.bundle.timestamps, await two.timestamp(signature)],
    }
    const both: Signed = { ...signed, bundle }
    const policy = (count: number): Policy => ({
      identities: IDENTITIES,
      thresholds: { logs: count, certificateLogs: count, times: count },
    })
    const result = verifySigned(both, root, { policy: policy(2) })
    expect(result.logEntries).toHaveLength(2)
    expect(result.times.map(({ authority }) => authority)).toEqual([
      'https://tsa.example.com',
      'https://tsa2.example.com',
    ])
    expect(() => verifySigned(both, root, { policy: policy(3) })).toThrowCode('VERIFY_LOG_THRESHOLD')
    // The same authority under two names stays one.
    const aliased = {
      ...root,
      timestampAuthorities: root.timestampAuthorities.map((tsa) => ({ ...tsa, uri: 'https://one.example.com' })),
    }
    expect(() => verifySigned(both, aliased, { policy: policy(2) })).toThrowCode('VERIFY_TIME_THRESHOLD')
    const oneCt = { ...root, ctlogs: root.ctlogs.map((log) => ({ ...log, baseUrl: 'https://one.example.com' })) }
    expect(() => verifySigned(both, oneCt, { policy: policy(2) })).toThrowCode('VERIFY_SCT_THRESHOLD')
  })
})
