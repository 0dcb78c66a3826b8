import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { encodeBundle, parseBundle } from '@touchmark/bundle'
import { utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { PolicyError, VerifyError, type VerificationResult } from './index.js'
import { FORMS, type Signed } from './testing/signing.js'
import { verifySigned } from './testing/verifying.js'
import { make, prepareWorkshop, root } from './testing/workshop.js'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

let all: Signed[]
let proven: VerificationResult[]
beforeAll(async () => {
  await prepareWorkshop()
  all = await Promise.all(FORMS.map(({ name }) => make(name, { artifact: utf8Encode(name) })))
  proven = all.map((signed) => verifySigned(signed, root))
})

function paths(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...path, name]))]
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Json | undefined)?.[step], value)
}

/**
 * What may change in a bundle without its being refused: form, hints, and what no check needs. All else must be refused, and each refusal is a coded
 * error of the parser or of the verifier.
 */
describe('verifyBundle on bundles changed in their structure', () => {
  it('throws only errors of its own, and accepts only what still proves the same', () => {
    const change = fc.record({
      form: fc.nat(FORMS.length - 1),
      from: fc.nat(FORMS.length - 1),
      place: fc.nat(10_000),
      how: fc.constantFrom('delete', 'replace', 'transplant', 'truncate', 'repeat'),
      value: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.base64String(), fc.nat().map(String)),
    })
    fc.assert(
      fc.property(change, ({ form, from, place, how, value }) => {
        const signed = all[form]!
        const box = { top: JSON.parse(encodeBundle(signed.bundle)) as unknown }
        const donor = { top: JSON.parse(encodeBundle(all[from]!.bundle)) as unknown }
        const list = paths(box).filter((path) => path.length > 0)
        const path = list[place % list.length]!
        const holder = at(box, path.slice(0, -1)) as Json
        const name = path.at(-1)!
        const old: unknown = holder[name]
        if (how === 'delete') delete holder[name]
        else if (how === 'replace') holder[name] = value
        else if (how === 'transplant') holder[name] = at(donor, path) ?? null
        else if (how === 'truncate') holder[name] = typeof old === 'string' ? old.slice(0, -4) : []
        else holder[name] = Array.isArray(old) ? [...(old as unknown[]), ...(old as unknown[])] : old
        let bundle
        try {
          bundle = parseBundle(new TextEncoder().encode(JSON.stringify(box.top)))
        } catch (error) {
          if (!isCodedError(error)) throw error
          return
        }
        try {
          const result = verifySigned(signed, root, { bundle })
          expect(result.artifact).toEqual(proven[form]!.artifact)
          expect(result.signer).toEqual(proven[form]!.signer)
          expect(result.content).toEqual(proven[form]!.content)
        } catch (error) {
          if (!(error instanceof VerifyError) && !(error instanceof PolicyError)) throw error
        }
      }),
      { numRuns: 400 },
    )
  })
})
