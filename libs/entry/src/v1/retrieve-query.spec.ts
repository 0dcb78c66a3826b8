import { describe, expect, it } from '@jest/globals'
import { utf8Encode } from '@touchmark/encoding'
import { parseV1RetrieveQuery } from './retrieve-query.js'

const indexesOf = (json: string): readonly bigint[] => parseV1RetrieveQuery(utf8Encode(json)).indexes

describe('log indexes of a retrieve', () => {
  it.each([
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['0', 0n],
    ['null', 0n],
  ])('%s is read as it is', (text, index) => {
    expect(indexesOf(`{"logIndexes":[7,${text} ,\n8]}`)).toEqual([7n, index, 8n])
  })

  it.each(['9223372036854775808', '-9223372036854775809', '1e3', '12.0', '1E400', '"7"'])('%s is no int64', (text) => {
    expect(() => indexesOf(`{"logIndexes":[${text}]}`)).toThrowCode('ENTRY_V1_JSON')
  })

  it('a million digits are none either, and are not said back', () => {
    let error: unknown
    try {
      indexesOf(`{"logIndexes":[${'9'.repeat(1_000_000)}]}`)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'ENTRY_V1_JSON' })
    expect((error as Error).message.length).toBeLessThan(200)
  })

  it.each(['-1', '-9223372036854775808'])('%s is an int64, and no index', (text) => {
    expect(() => indexesOf(`{"logIndexes":[${text}]}`)).toThrowCode('ENTRY_V1_SHAPE')
  })

  it('are those of the member that counts: the last one of that name, however it is written, of the outermost object', () => {
    const entryIds = `"entryUUIDs":["${'a'.repeat(64)}"]`
    const other = '"other":{"logIndexes":[5,[6]],"a":"\\",[7]"}'
    expect(indexesOf(`{"logIndexes":[1,2],${other},${entryIds},"log\\u0049ndexes":[ 3 ,null, 4 ]}`)).toEqual([
      3n,
      0n,
      4n,
    ])
    expect(indexesOf(`{${other},"logIndexes":[9007199254740995],"entries":[]}`)).toEqual([9007199254740995n])
    expect(indexesOf(`{"a":[{"logIndexes":[1]}],"logIndexes":null}`)).toEqual([])
  })
})
