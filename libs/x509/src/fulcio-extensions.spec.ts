import { describe, expect, it } from '@jest/globals'
import { hexEncode } from '@touchmark/encoding'
import { encodeFulcioExtensions, FULCIO_OID, fulcioExtensions } from './fulcio-extensions.js'
import type { FulcioExtensionValues } from './fulcio-extensions.js'

const ARC = '1.3.6.1.4.1.57264.1'
/** Number, name and whether the text stands without a UTF8String (ca.md §8), in the order of a certificate. */
const TABLE: [number, string, boolean][] = [
  [1, 'issuerV1', true],
  [2, 'githubWorkflowTrigger', true],
  [3, 'githubWorkflowSha', true],
  [4, 'githubWorkflowName', true],
  [5, 'githubWorkflowRepository', true],
  [6, 'githubWorkflowRef', true],
  [8, 'issuerV2', false],
  [9, 'buildSignerUri', false],
  [10, 'buildSignerDigest', false],
  [11, 'runnerEnvironment', false],
  [12, 'sourceRepositoryUri', false],
  [13, 'sourceRepositoryDigest', false],
  [14, 'sourceRepositoryRef', false],
  [15, 'sourceRepositoryIdentifier', false],
  [16, 'sourceRepositoryOwnerUri', false],
  [17, 'sourceRepositoryOwnerIdentifier', false],
  [18, 'buildConfigUri', false],
  [19, 'buildConfigDigest', false],
  [20, 'buildTrigger', false],
  [21, 'runInvocationUri', false],
  [22, 'sourceRepositoryVisibilityAtSigning', false],
  [23, 'deploymentEnvironment', false],
  [24, 'tokenSubject', false],
]
const names = TABLE.map(([, name]) => name).filter((name) => !name.startsWith('issuer'))
const values = Object.fromEntries(names.map((name) => [name, 'x'])) as FulcioExtensionValues

describe('the extensions of a signing certificate', () => {
  it('have these object identifiers', () => {
    expect(FULCIO_OID).toEqual(Object.fromEntries(TABLE.map(([n, name]) => [name, `${ARC}.${n}`])))
  })
  it('are written in the order of their numbers, the old ones raw, the others as UTF8String', () => {
    const hex = (n: number): string => n.toString(16).padStart(2, '0')
    expect(encodeFulcioExtensions('x', values).map(hexEncode)).toEqual(
      TABLE.map(([n, , raw]) => {
        const value = raw ? '040178' : '04030c0178'
        const oid = `060a2b0601040183bf3001${hex(n)}`
        return `30${hex((oid.length + value.length) / 2)}${oid}${value}`
      }),
    )
  })
  it.each(TABLE)('.%i is read as %s', (n, name, raw) => {
    const oid = `${ARC}.${n}`
    const value = raw ? Uint8Array.of(0x79) : Uint8Array.of(0x0c, 1, 0x79)
    const extensions = new Map([[oid, { oid, critical: false, value, bytes: value }]])
    const read = fulcioExtensions({ extensions })
    expect(read).toStrictEqual(
      name.startsWith('issuer') ? { issuer: 'y', [name]: 'y', values: {} } : { values: { [name]: 'y' } },
    )
  })
})
