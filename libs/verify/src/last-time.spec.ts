import { beforeAll, describe, expect, it } from '@jest/globals'
import { verifySigned } from './testing/verifying.js'
import { changeEntry, make, prepareWorkshop, root } from './testing/workshop.js'

beforeAll(prepareWorkshop)

describe('the time that a log promises', () => {
  // The last instant that ECMAScript has a date for.
  const last = new Date(8.64e15)
  const name = '0.3 attestation by key, v1'

  it('may be the last one that can be told', async () => {
    expect(verifySigned(await make(name, { at: last }), root).times[0]!.time).toEqual(last)
  })

  it('is refused beyond it', async () => {
    const signed = await make(name, { at: last })
    const bundle = changeEntry(signed, ({ integratedTime }) => ({ integratedTime: integratedTime! + 1n }))
    expect(() => verifySigned(signed, root, { bundle })).toThrowCode('VERIFY_PROMISE_INVALID')
  })
})
