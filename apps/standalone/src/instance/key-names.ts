import type { KeyType } from '@touchmark/crypto'

const P256: KeyType = { kind: 'ecdsa', curve: 'P-256' }

/**
 * The keys of an instance: one for each duty. ECDSA P-256 throughout, the one algorithm that every client takes for every duty
 * (contract of the trust material §1); the demonstration issuer signs with RSA, since clients take RS256 alone.
 */
export const KEYS = {
  'ca-root': P256,
  'ca-intermediate': P256,
  'signature-log': P256,
  'signature-log-v1': P256,
  'certificate-log': P256,
  'tsa-root': P256,
  'tsa-leaf': P256,
  'demo-issuer': { kind: 'rsa', modulusBits: 2048 },
} as const satisfies Readonly<Record<string, KeyType>>

export type KeyName = keyof typeof KEYS

export const KEY_NAMES = Object.keys(KEYS) as readonly KeyName[]

const YEAR_MS = 365.25 * 24 * 3600 * 1000

/** How long certificates live: parents outlive their children, and nothing lapses within five years of a first start. */
export const LIFETIME_MS = { root: 20 * YEAR_MS, intermediate: 12 * YEAR_MS, tsaLeaf: 10 * YEAR_MS } as const
