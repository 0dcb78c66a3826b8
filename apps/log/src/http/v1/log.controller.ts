import { Controller, Get, Inject, Req, Res } from '@nestjs/common'
import { pemEncode } from '@touchmark/encoding'
import type { Request, Response } from 'express'
import { LogApiError } from '../../errors.js'
import { negotiated } from './accept.js'
import { errorJson, goJson, sendJson, sendText, setRouteHeaders } from './answers.js'
import { isTreeId } from './entry-id.js'
import { V1Query } from './query.js'
import { answering } from './route-problem.js'
import { V1_SETTINGS, type V1Settings } from './settings.js'
import type { V1Tree } from './v1-trees.js'

const JSON_TYPE = 'application/json'
const PEM_TYPE = 'application/x-pem-file'
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What API v1 says of its trees (log-v1.md §10). */
@Controller('api/v1/log')
export class V1LogController {
  readonly #settings: V1Settings

  constructor(@Inject(V1_SETTINGS) settings: V1Settings) {
    this.#settings = settings
  }

  @Get()
  async info(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.#answer(request, response, async () => {
      const states = await Promise.all(this.#settings.virtual.trees().map(treeState))
      const active = states.pop()!
      const inactive = states.length === 0 ? 'null' : `[${states.map((state) => `{${state}}`).join(',')}]`
      return `{"inactiveShards":${inactive},${active}}`
    })
  }

  /** Consistency of two sizes; the root is that of the whole tree as it is now. */
  @Get('proof')
  async proof(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.#answer(request, response, async () => {
      const query = new V1Query(request)
      const first = query.number('firstSize', 1n) ?? 1n
      const last = query.required('lastSize', 1n)
      const sent = query.treeId()
      if (first > last) throw refused(`firstSize(${first}) must be less than lastSize(${last})`)
      const tree = sent === undefined ? this.#settings.virtual.active() : this.#treeOf(sent)
      const { size, root } = await tree.log.checkpoint()
      if (last > size) {
        throw refused(`the tree size requested(${last}) was greater than what is currently observable(${size})`)
      }
      const hashes = first === last ? [] : await tree.log.consistencyProof(first, last)
      return `{"hashes":[${hashes.map((hash) => `"${hex(hash)}"`).join(',')}],"rootHash":"${hex(root)}"}`
    })
  }

  /** The key as PEM, or as a JSON string of it for who takes nothing else. */
  @Get('publicKey')
  async publicKey(@Req() request: Request, @Res() response: Response): Promise<void> {
    setRouteHeaders(request, response)
    const type = negotiated(request, response, [PEM_TYPE, JSON_TYPE])
    if (type === undefined) return
    await answering(this.#settings, response, 'read', async () => {
      const sent = new V1Query(request).treeId()
      const { virtual } = this.#settings
      const tree = sent === undefined ? virtual.active() : isSane(sent) ? virtual.tree(BigInt(sent)) : undefined
      const newline = type === JSON_TYPE ? '\n' : ''
      if (tree === undefined) return sendText(response, 400, type, errorJson(400, 'Bad Request') + newline)
      const pem = pemEncode('PUBLIC KEY', tree.log.publicKey.spki)
      sendText(response, 200, type, type === JSON_TYPE ? goJson(pem) + newline : pem)
    })
  }

  #treeOf(sent: string): V1Tree {
    if (!isSane(sent)) throw refused(`invalid tree ID specified: ${sent.slice(0, 100)}`)
    const tree = this.#settings.virtual.tree(BigInt(sent))
    if (tree === undefined) throw refused(`no log range found for tree ID ${BigInt(sent)}`)
    return tree
  }

  async #answer(request: Request, response: Response, work: () => Promise<string>): Promise<void> {
    setRouteHeaders(request, response)
    if (negotiated(request, response, [JSON_TYPE]) === undefined) return
    await answering(this.#settings, response, 'read', async () => sendJson(response, 200, await work()))
  }
}

/** Digits of a number that an int64 holds; 0 is one, though no tree has it. */
function isSane(digits: string): boolean {
  if (digits.length > 40) return false
  const id = BigInt(digits)
  return id === 0n || isTreeId(id)
}

async function treeState({ treeId, log }: V1Tree): Promise<string> {
  const { size, root, note } = await log.checkpoint()
  return `"rootHash":"${hex(root)}","signedTreeHead":${goJson(note)},"treeID":"${treeId}","treeSize":${size}`
}

function refused(text: string): LogApiError {
  return new LogApiError('LOG_V1_REFUSED', text)
}
