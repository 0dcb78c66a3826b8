import { ShapeError } from '@touchmark/entry'
import type { Request } from 'express'

const INT64 = /^[+-]?[0-9]{1,30}$/
const MAX_INT64 = (1n << 63n) - 1n

/** The query of a GET. Of a repeated member the last one counts; an empty one is as absent. */
export class V1Query {
  readonly #members: URLSearchParams

  constructor(request: Request) {
    const question = request.url.indexOf('?')
    this.#members = new URLSearchParams(question < 0 ? '' : request.url.slice(question + 1))
  }

  /** An int64 of at least `minimum`; undefined when it is absent. Throws ENTRY_V1_SHAPE. */
  number(name: string, minimum: bigint): bigint | undefined {
    const text = this.#members.getAll(name).at(-1) ?? ''
    if (text === '') return undefined
    const value = INT64.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
    if (value === undefined || value > MAX_INT64 || value < -MAX_INT64 - 1n) {
      throw new ShapeError(601, `${name} in query must be of type int64: ${JSON.stringify(text.slice(0, 100))}`)
    }
    if (value < minimum) throw new ShapeError(609, `${name} in query should be greater than or equal to ${minimum}`)
    return value
  }

  /** The same for one that must be there. */
  required(name: string, minimum: bigint): bigint {
    const value = this.number(name, minimum)
    if (value === undefined) throw new ShapeError(602, `${name} in query is required`)
    return value
  }

  /** Digits of a tree's id as they were sent; undefined when it is absent. Throws ENTRY_V1_SHAPE. */
  treeId(): string | undefined {
    const text = this.#members.getAll('treeID').at(-1) ?? ''
    if (text === '') return undefined
    if (!/^[0-9]+$/.test(text)) throw new ShapeError(605, "treeID in query should match '^[0-9]+$'")
    return text
  }

  /** What a Location keeps of the query: everything but a key, sorted; with its question mark. */
  withoutKey(): string {
    this.#members.delete('apiKey')
    this.#members.sort()
    const text = this.#members.toString()
    return text === '' ? '' : `?${text}`
  }
}
