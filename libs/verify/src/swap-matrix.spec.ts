import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Bundle } from '@touchmark/bundle'
import { canonicalJson, equalBytes, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { embeddedScts } from '@touchmark/x509'
import { PolicyError, VerifyError, type VerifyBundleInput } from './index.js'
import { TestInstance } from './testing/instance.js'
import { FORMS, hintOf, sign, type Form, type Signed } from './testing/signing.js'
import { isSame, PARTS } from './testing/swap-parts.js'
import { verifySigned } from './testing/verifying.js'

// reliability.md V1: two valid bundles of one form; each part of one is put into the other; every result must be refused.
// Once for two bundles of one instance, and once for two instances that differ in nothing but their keys.

function refusalOf(what: () => unknown): unknown {
  try {
    what()
  } catch (error) {
    return error
  }
  return undefined
}

let one: TestInstance
let two: TestInstance
beforeAll(async () => {
  one = await TestInstance.create()
  two = await TestInstance.create()
})

/** Two bundles that share nothing that could be swapped unnoticed: artifact, signer, index and tree differ. */
async function pair(form: Form, second: TestInstance): Promise<[Signed, Signed]> {
  const at = new Date('2026-06-01T12:00:07Z')
  return [
    await sign(one, { form, artifact: utf8Encode('one') }),
    await sign(second, { form, artifact: utf8Encode('two'), at, followedBy: 5 }),
  ]
}

function keysOf(...signed: readonly Signed[]): VerifyBundleInput['trust'] {
  const keysByHint = new Map(signed.map(({ signer }) => [hintOf(signer), signer.publicKey]))
  return { keysByHint, root: one.trustedRoot }
}

describe.each([
  ['of one instance', () => one],
  ['of two instances', () => two],
])('two bundles %s', (_name, second) => {
  let swapped = 0

  describe.each(FORMS.map((form) => [form.name, form] as const))('%s', (_form, form) => {
    let own: Signed
    let other: Signed
    beforeAll(async () => {
      ;[own, other] = await pair(form, second())
      verifySigned(own, one.trustedRoot)
      verifySigned(other, second().trustedRoot)
    })

    it.each(Object.keys(PARTS))('must not share %s', (part) => {
      const bundle = PARTS[part]!(own.bundle, other.bundle)
      // The form has no such part, or both have the same (logs of one instance share their id).
      if (isSame(bundle, own.bundle)) return
      swapped++
      if (part === 'log index' && form.entry === 'hashedrekord 0.0.1' && !form.promise) {
        // Over all shards of an API v1 log: nobody signed it, so it proves nothing, and it is not passed on.
        const [entry] = verifySigned(own, one.trustedRoot, { bundle }).logEntries
        expect(entry!.logIndex).toBe(own.bundle.tlogEntries[0]!.inclusionProof!.logIndex)
        return
      }
      // The hint only chooses among keys; with a key in hand there is nothing to choose.
      const change = form.material === 'publicKey' ? { trust: keysOf(own, other) } : {}
      const error = refusalOf(() => verifySigned(own, one.trustedRoot, { bundle, ...change }))
      expect(error).toBeInstanceOf(VerifyError)
      expect(isCodedError(error) && error.details.hint).toBeTruthy()
    })

    it('must not share their artifact', () => {
      expect(
        refusalOf(() => verifySigned(own, one.trustedRoot, { artifact: { bytes: other.artifact } })),
      ).toBeInstanceOf(VerifyError)
    })

    it('must not share their trust', () => {
      if (second() === one) return
      expect(refusalOf(() => verifySigned(own, two.trustedRoot))).toBeInstanceOf(VerifyError)
      const root = one.trustedRoot
      for (const list of ['tlogs', 'certificateAuthorities', 'ctlogs', 'timestampAuthorities'] as const) {
        // Keys need no CA; entries of API v1 have a time without a timestamp authority.
        if (form.material === 'publicKey' && list !== 'tlogs') continue
        if (list === 'timestampAuthorities' && form.promise) continue
        const mixed = { ...root, [list]: two.trustedRoot[list] }
        expect(refusalOf(() => verifySigned(own, mixed))).toBeInstanceOf(VerifyError)
      }
    })

    it('must not share their SCT', async () => {
      if (form.material === 'publicKey') return
      const scts = embeddedScts(other.certificate)
      const mixed = await sign(one, { form, leaf: { scts: () => scts } })
      expect(refusalOf(() => verifySigned(mixed, one.trustedRoot))).toBeInstanceOf(VerifyError)
    })
  })

  it('were swapped in many parts', () => expect(swapped).toBeGreaterThan(130))
})

describe('a bundle, one bit changed', () => {
  const flips = (bytes: Uint8Array): Uint8Array[] =>
    [0, Math.floor(bytes.length / 2), bytes.length - 1].map((at) =>
      bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)),
    )

  it.each(FORMS.map((form) => [form.name, form] as const))(
    'is refused in each of its byte strings: %s',
    async (_name, form) => {
      const signed = await sign(one, { form })
      const changed: [string, Bundle][] = []
      const collect = (value: unknown, path: string, put: (value: unknown) => Bundle): void => {
        if (value instanceof Uint8Array) for (const bytes of flips(value)) changed.push([path, put(bytes)])
        else if (typeof value === 'object' && value !== null)
          for (const [name, inner] of Object.entries(value))
            collect(inner, `${path}.${name}`, (now) =>
              put(
                Array.isArray(value)
                  ? value.map((item, i) => (String(i) === name ? now : (item as unknown)))
                  : { ...value, [name]: now },
              ),
            )
      }
      collect(signed.bundle, '', (value) => value as Bundle)
      expect(changed.length).toBeGreaterThan(15)
      for (const [path, bundle] of changed) {
        const error = refusalOf(() => verifySigned(signed, one.trustedRoot, { bundle }))
        expect(`${path}: ${error instanceof VerifyError || error instanceof PolicyError}`).toBe(`${path}: true`)
      }
    },
  )
})

describe('the fixtures', () => {
  it('are in canonical form, so that what is refused is not the form', async () => {
    const { bundle } = await sign(one)
    const { canonicalizedBody } = bundle.tlogEntries[0]!
    const json = JSON.parse(new TextDecoder().decode(canonicalizedBody)) as JsonValue
    expect(equalBytes(utf8Encode(canonicalJson(json)), canonicalizedBody)).toBe(true)
  })
})
