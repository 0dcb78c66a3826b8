import { beforeAll, describe, expect, it } from '@jest/globals'
import { verifySigned } from './testing/verifying.js'
import { body, changeEntry, make, prepareWorkshop, reverified, root, V1, V2 } from './testing/workshop.js'

beforeAll(prepareWorkshop)

describe('the body of a log entry', () => {
  it('may be nested 16 deep, and then be of something else', async () => {
    const signed = await make(V2)
    /** Its own object is one deep, and the lists of the member are the others. */
    const nested = (depth: number) =>
      changeEntry(signed, body(`{"kind":"other","spec":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`))
    expect(() => verifySigned(signed, root, { bundle: nested(16) })).toThrowCode('VERIFY_ENTRY_MISMATCH')
    expect(() => verifySigned(signed, root, { bundle: nested(17) })).toThrowCode('VERIFY_ENTRY_INVALID')
  })

  it('of API v1 has whole bytes in its hash', async () => {
    const cut = (text: string): string => text.replace(/("value":")[0-9a-f]/, '$1')
    await expect(reverified(V1, cut)).rejects.toThrowCode('VERIFY_ENTRY_INVALID')
  })
})
