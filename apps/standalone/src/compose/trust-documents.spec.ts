import { beforeAll, describe, expect, it } from '@jest/globals'
import { generateSigner } from '@touchmark/crypto/node'
import { parseSigningConfig, parseTrustedRoot } from '@touchmark/trust'
import type { Material } from '../instance/material.js'
import { followingTrust, trustDocuments, type TrustedShard, type TrustInput } from './trust-documents.js'

const at = (text: string): Date => new Date(`2026-01-${text}Z`)
const key = generateSigner({ kind: 'ecdsa', curve: 'P-256' }).publicKey
let input: Omit<TrustInput, 'shards'>
let ids = 0

function shard(host: string, row: Partial<TrustedShard['row']> = {}): TrustedShard {
  const created = at('01T00:00:00.700')
  return {
    row: {
      kind: 'signature-v2',
      publicUrl: `https://${host}`,
      createdAt: created,
      activeFrom: created,
      frozenAt: undefined,
      ...row,
    },
    log: { logId: new Uint8Array(32).fill(++ids), publicKey: key },
  }
}

beforeAll(() => {
  const certificate = { der: Uint8Array.of(0x30, 0) }
  const names = ['caRoot', 'caIntermediate', 'tsaRoot', 'tsaLeaf']
  input = {
    publicUrl: 'https://a.example',
    createdAt: at('01T00:00:00.700'),
    organization: 'a.example',
    material: Object.fromEntries(names.map((name) => [name, certificate])) as unknown as Material,
    certificateLog: { publicKey: key, ctLogId: new Uint8Array(32) },
    issuerUrl: undefined,
  }
})

function made(...shards: TrustedShard[]) {
  const { documents } = trustDocuments({ ...input, shards })
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  return {
    logs: parseTrustedRoot(bytes(documents.trustedRoot)).tlogs.map(({ baseUrl, publicKey: { validFor } }) => [
      baseUrl,
      validFor.start.toISOString(),
      validFor.end?.toISOString(),
    ]),
    services: parseSigningConfig(bytes(documents.signingConfig)).rekorTlogUrls.map(({ url, validFor }) => [
      url,
      validFor!.start.toISOString(),
      validFor!.end?.toISOString(),
    ]),
  }
}

describe('trustDocuments', () => {
  it('one shard is valid from a minute before its beginning', () => {
    const only = ['https://a.example', '2025-12-31T23:59:00.000Z', undefined]
    expect(made(shard('a.example'))).toEqual({ logs: [only], services: [only] })
  })

  it('each shard ends where the next begins, and the newest is the last', () => {
    const { logs, services } = made(
      shard('a.example'),
      shard('b.example', { createdAt: at('02T00:00:00'), activeFrom: at('03T00:00:00') }),
      shard('c.example', { createdAt: at('04T00:00:00'), activeFrom: at('04T00:00:00') }),
    )
    expect(services).toEqual([
      ['https://a.example', '2025-12-31T23:59:00.000Z', '2026-01-02T23:59:00.000Z'],
      ['https://b.example', '2026-01-02T23:59:00.000Z', '2026-01-03T23:59:00.000Z'],
      ['https://c.example', '2026-01-03T23:59:00.000Z', undefined],
    ])
    // A key is trusted as soon as it is there; nothing ends before it is frozen.
    expect(logs.map(([, start, end]) => [start, end])).toEqual([
      ['2025-12-31T23:59:00.000Z', undefined],
      ['2026-01-01T23:59:00.000Z', undefined],
      ['2026-01-03T23:59:00.000Z', undefined],
    ])
  })

  it('a prepared shard is trusted and written to by nobody, and API v1 is in no signing config', () => {
    const { logs, services } = made(
      shard('a.example', { kind: 'signature-v1' }),
      shard('b.example'),
      shard('c.example', { activeFrom: undefined }),
    )
    expect(logs.map(([url]) => url)).toEqual(['https://a.example', 'https://c.example', 'https://b.example'])
    expect(services.map(([url]) => url)).toEqual(['https://b.example'])
  })

  it('the key of a frozen shard ends ten minutes later, for what was timestamped meanwhile', () => {
    const { logs } = made(shard('a.example', { frozenAt: at('05T00:00:00.001') }), shard('b.example'))
    expect(logs.map(([, , end]) => end)).toEqual(['2026-01-05T00:10:01.000Z', undefined])
  })
})

describe('followingTrust', () => {
  it('gives the same documents until the shards change', () => {
    const shards = { served: [shard('a.example')], generation: 1 }
    const trust = followingTrust(shards, input)
    const before = trust()
    expect(trust()).toBe(before)
    shards.served = [...shards.served, shard('b.example')]
    expect(trust()).toBe(before)
    shards.generation = 2
    const after = trust()
    expect(after.documents.trustedRoot).toContain('https://b.example')
    expect(trust()).toBe(after)
  })
})
