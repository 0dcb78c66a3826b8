import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { checkAuthorityChain } from './chain.js'
import {
  makeAuthority,
  NOT_AFTER,
  NOT_BEFORE,
  NOW,
  type TestAuthority,
  type TestAuthorityOptions,
} from './testing/authority.js'
import {
  ANY_PURPOSE,
  basicConstraints,
  CODE_SIGNING,
  keyUsage,
  makeName,
  purposes,
  TIME_STAMPING,
} from './testing/certificates.js'
import { recordedChain } from './testing/vectors.js'

function check({ chain, signer }: TestAuthority, at = NOW, enforceIntermediatePurpose = true): void {
  checkAuthorityChain({ chain, publicKey: signer.publicKey, at, crypto: nodeCrypto, enforceIntermediatePurpose })
}

const LEAF = [keyUsage(0x80), purposes([TIME_STAMPING], true)]
const CA = [basicConstraints(true), keyUsage(0x06)]

describe('checkAuthorityChain', () => {
  it.each(['p256', 'p384', 'rsa2048', 'p256-two'])('takes the recorded chain %s', (name) => {
    const chain = recordedChain(name)
    const publicKey = chain[0]!.publicKey
    expect(() =>
      checkAuthorityChain({ chain, publicKey, at: new Date('2027-01-01'), crypto: nodeCrypto }),
    ).not.toThrow()
  })

  it('takes a leaf that the root has signed, and an anchor that is not self-signed', () => {
    expect(() => check(makeAuthority({ withIntermediate: false }))).not.toThrow()
    const authority = makeAuthority({ root: { issuer: makeName('example.com', 'another root') } })
    expect(() => check(authority)).not.toThrow()
  })

  it('does not look at key usage and key identifiers of the leaf when they are absent', () => {
    expect(() => check(makeAuthority({ leaf: { extensions: [purposes([TIME_STAMPING], true)] } }))).not.toThrow()
  })

  const refused: Record<string, [string, TestAuthorityOptions]> = {
    'a CA as leaf': ['TIMESTAMP_CHAIN_LEAF_IS_CA', { leaf: { extensions: [...LEAF, basicConstraints(true)] } }],
    'a purpose that is not critical': [
      'TIMESTAMP_CHAIN_EKU_NOT_CRITICAL',
      { leaf: { extensions: [keyUsage(0x80), purposes([TIME_STAMPING])] } },
    ],
    'no purpose': ['TIMESTAMP_CHAIN_EKU_NOT_SINGLE', { leaf: { extensions: [keyUsage(0x80)] } }],
    'a second purpose': [
      'TIMESTAMP_CHAIN_EKU_NOT_SINGLE',
      { leaf: { extensions: [keyUsage(0x80), purposes([TIME_STAMPING, CODE_SIGNING], true)] } },
    ],
    'another purpose of the leaf': [
      'TIMESTAMP_CHAIN_EKU_INCOMPATIBLE',
      { leaf: { extensions: [keyUsage(0x80), purposes([CODE_SIGNING], true)] } },
    ],
    'any purpose of the leaf': [
      'TIMESTAMP_CHAIN_EKU_INCOMPATIBLE',
      { leaf: { extensions: [keyUsage(0x80), purposes([ANY_PURPOSE], true)] } },
    ],
    'another purpose of the intermediate': [
      'TIMESTAMP_CHAIN_EKU_INCOMPATIBLE',
      { intermediate: { extensions: [...CA, purposes([CODE_SIGNING])] } },
    ],
    'another purpose of the root': [
      'TIMESTAMP_CHAIN_EKU_INCOMPATIBLE',
      { root: { extensions: [...CA, purposes([CODE_SIGNING])] } },
    ],
    'an intermediate without purpose': ['TIMESTAMP_CHAIN_INTERMEDIATE_EKU', { intermediate: { extensions: CA } }],
    'an intermediate for any purpose': [
      'TIMESTAMP_CHAIN_INTERMEDIATE_EKU',
      { intermediate: { extensions: [...CA, purposes([ANY_PURPOSE])] } },
    ],
    'a leaf that has expired': ['TIMESTAMP_CHAIN_VALIDITY', { leaf: { notAfter: new Date(NOW.getTime() - 1000) } }],
    'a leaf that is not yet valid': [
      'TIMESTAMP_CHAIN_VALIDITY',
      { leaf: { notBefore: new Date(NOW.getTime() + 1000) } },
    ],
    'an intermediate that has expired': [
      'TIMESTAMP_CHAIN_VALIDITY',
      { intermediate: { notAfter: new Date(NOW.getTime() - 1000) } },
    ],
    'a root that has expired': ['TIMESTAMP_CHAIN_VALIDITY', { root: { notAfter: new Date(NOW.getTime() - 1000) } }],
    'an RSA key of 1024 bits': ['TIMESTAMP_CHAIN_WEAK_KEY', { keyType: 'RSA-1024' }],
    'a P-224 key': ['TIMESTAMP_CHAIN_WEAK_KEY', { keyType: 'P-224' }],
    'a weak key of an issuer': ['TIMESTAMP_CHAIN_WEAK_KEY', { issuerKeyType: 'RSA-1024' }],
    'an issuer that is no CA': ['TIMESTAMP_CHAIN_ORDER', { intermediate: { extensions: [purposes([TIME_STAMPING])] } }],
    'an issuer of another name': ['TIMESTAMP_CHAIN_ORDER', { leaf: { issuer: makeName('example.com', 'nobody') } }],
  }
  it.each(Object.entries(refused))('refuses %s', (_name, [code, options]) => {
    const { chain, leafKey } = makeAuthority(options)
    const publicKey = { type: { kind: 'ed25519' as const }, spki: leafKey.spki, keyBits: leafKey.spki }
    expect(() => checkAuthorityChain({ chain, publicKey, at: NOW, crypto: nodeCrypto })).toThrowCode(code)
  })

  it('takes an intermediate without purpose when that is switched off', () => {
    expect(() => check(makeAuthority({ intermediate: { extensions: CA } }), NOW, false)).not.toThrow()
  })

  it('refuses fewer than two certificates', () => {
    const { chain, signer } = makeAuthority()
    for (const short of [[], chain.slice(0, 1)])
      expect(() =>
        checkAuthorityChain({ chain: short, publicKey: signer.publicKey, at: NOW, crypto: nodeCrypto }),
      ).toThrowCode('TIMESTAMP_CHAIN_TOO_SHORT')
  })

  it('refuses another key than the leaf certifies', () => {
    const { chain } = makeAuthority()
    const { signer } = makeAuthority()
    expect(() => checkAuthorityChain({ chain, publicKey: signer.publicKey, at: NOW, crypto: nodeCrypto })).toThrowCode(
      'TIMESTAMP_CHAIN_KEY_MISMATCH',
    )
  })

  it('refuses a wrong order, a stranger among the intermediates and a missing link', () => {
    const authority = makeAuthority()
    const [leaf, intermediate, root] = authority.chain
    const stranger = makeAuthority().chain[1]!
    for (const chain of [
      [leaf!, root!, intermediate!],
      [leaf!, intermediate!, stranger, root!],
      [leaf!, root!],
    ])
      expect(() => check({ ...authority, chain }, NOW, false)).toThrowCode('TIMESTAMP_CHAIN_ORDER')
  })

  it('takes both ends of the validity', () => {
    const authority = makeAuthority()
    for (const at of [NOT_BEFORE, NOT_AFTER]) expect(() => check(authority, at)).not.toThrow()
  })
})
