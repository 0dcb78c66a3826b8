import { beforeAll, describe, expect, it } from '@jest/globals'
import { generateSigner, randomBytes } from '@touchmark/crypto/node'
import type { LogInstance } from '@touchmark/trust'
import { logInstance, START } from './testing/instance.js'
import { instance, prepareWorkshop, root } from './testing/workshop.js'
import { TrustMaterial, trustMaterialOf } from './trust-material.js'

beforeAll(prepareWorkshop)

const withCtlogs = (...ctlogs: readonly LogInstance[]): TrustMaterial => new TrustMaterial({ ...root, ctlogs })

describe('TrustMaterial', () => {
  it('is made once for a root', () => {
    expect(trustMaterialOf(root)).toBe(trustMaterialOf(root))
    expect(trustMaterialOf({ ...root })).not.toBe(trustMaterialOf(root))
  })

  it('reads RSA keys in both encodings that files have under PKCS1_RSA_PKCS1V5', () => {
    const key = generateSigner({ kind: 'rsa', modulusBits: 2048 }).publicKey
    const logId = randomBytes(32)
    const log = logInstance(key, 'https://ct.example.com', logId)
    for (const rawBytes of [key.spki, key.keyBits]) {
      const old: LogInstance = {
        ...log,
        publicKey: { rawBytes, keyDetails: 'PKCS1_RSA_PKCS1V5', validFor: { start: START } },
      }
      expect(withCtlogs(old).ctlog(logId)).toMatchObject({ found: 'usable', logs: [{ key: { spki: key.spki } }] })
    }
    // PKCS#1 under the name of a PKIX key is refused, as Go refuses it.
    const wrong: LogInstance = { ...log, publicKey: { ...log.publicKey, rawBytes: key.keyBits } }
    expect(withCtlogs(wrong).ctlog(logId).found).toBe('unusable')
  })

  it('does not use RSA keys of odd sizes', () => {
    const key = generateSigner({ kind: 'rsa', modulusBits: 1024 }).publicKey
    const logId = randomBytes(32)
    const log = logInstance(key, 'https://ct.example.com', logId)
    const weak: LogInstance = { ...log, publicKey: { ...log.publicKey, keyDetails: 'PKIX_RSA_PKCS1V5' } }
    expect(withCtlogs(weak).ctlog(logId)).toMatchObject({ found: 'unusable' })
  })

  it('finds logs by all of their id', () => {
    const [log] = root.ctlogs
    const material = withCtlogs(log!)
    expect(material.ctlog(log!.logId).found).toBe('usable')
    expect(material.ctlog(log!.logId).found).toBe('usable')
    expect(material.ctlog(log!.logId.subarray(0, 4)).found).toBe('unknown')
    expect(material.tlog(log!.logId).found).toBe('unknown')
  })

  it('uses the good one of several keys under one id', () => {
    const [log] = root.ctlogs
    const broken: LogInstance = { ...log!, publicKey: { ...log!.publicKey, rawBytes: randomBytes(20) } }
    expect(withCtlogs(broken, log!).ctlog(log!.logId)).toMatchObject({ found: 'usable', logs: [{ instance: log }] })
    expect(withCtlogs(broken).ctlog(log!.logId).found).toBe('unusable')
  })

  it('reads a log once', () => {
    const [log] = root.ctlogs
    const material = withCtlogs(log!)
    expect(material.ctlog(log!.logId)).toBe(material.ctlog(log!.logId))
  })

  it('takes the first certificate of a timestamp authority, the last of each authority, and what is between', () => {
    const certificates = [instance.tsaChain[0].der, instance.caChain[0].der, instance.caChain[1].der] as const
    const authority = { ...root.certificateAuthorities[0]!, certificates }
    const material = new TrustMaterial({
      ...root,
      certificateAuthorities: [authority],
      timestampAuthorities: [authority],
    })
    const ders = (list: readonly { readonly der: Uint8Array }[]) => list.map(({ der }) => der)
    const [ca] = material.certificateAuthorities
    expect(ders([...ca!.intermediates, ca!.anchor])).toEqual(certificates)
    expect(ca!.intermediates).toHaveLength(2)
    const [tsa] = material.timestampAuthorities
    const { leaf, intermediates, root: last } = tsa!.authority
    expect(ders([leaf, ...intermediates, last])).toEqual(certificates)
    expect(intermediates).toHaveLength(1)
  })

  it('is known by its CAs', () => {
    expect(trustMaterialOf(root).description).toBe('https://ca.example.com')
    const [ca] = root.certificateAuthorities
    const second = { ...ca!, uri: 'https://second.example.com' }
    expect(new TrustMaterial({ ...root, certificateAuthorities: [ca!, second, ca!] }).description).toBe(
      'https://ca.example.com, https://second.example.com',
    )
    expect(new TrustMaterial({ ...root, certificateAuthorities: [{ ...ca!, uri: '' }] }).description).toBe('ca')
    expect(new TrustMaterial({ ...root, certificateAuthorities: [] }).description).toMatch(/without/)
    expect(
      new TrustMaterial({ ...root, certificateAuthorities: [{ ...ca!, uri: '' }] }).certificateAuthorities[0]!.name,
    ).toBe('ca')
  })
})
