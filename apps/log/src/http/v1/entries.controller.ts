import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common'
import { encodeV1Extra, ShapeError, ENTRY_ID } from '@touchmark/entry'
import { leafHash } from '@touchmark/merkle'
import { rawBody } from '@touchmark/service'
import type { Request, Response } from 'express'
import { LogApiError } from '../../errors.js'
import { goneSignal } from '../gone-signal.js'
import { isJsonBody, negotiated } from './accept.js'
import { errorJson, sendJson, sendNothing, setRouteHeaders } from './answers.js'
import { entryIdOf, type ProvenEntry } from './entry-answer.js'
import { isTreeId, parseEntryId, type SentId } from './entry-id.js'
import { isRefusal } from './problems.js'
import { V1Query } from './query.js'
import { findEntryJson, readEntryJson, signedEntryJson } from './read-entry.js'
import { answering } from './route-problem.js'
import { V1_SETTINGS, type V1Settings } from './settings.js'

const ENTRIES = '/api/v1/log/entries'

/** Entries of API v1: written, read and looked for (log-v1.md §3, §7, §8). */
@Controller('api/v1/log/entries')
export class V1EntriesController {
  readonly #settings: V1Settings

  constructor(@Inject(V1_SETTINGS) settings: V1Settings) {
    this.#settings = settings
  }

  /**
   * Body, then shape, then validation, then the log: an entry takes a place in a batch only when it is known to be good. The answer leaves after the commit,
   * or, where there is no new entry, at the pace of refusals.
   */
  @Post()
  async create(@Req() request: Request, @Res() response: Response): Promise<void> {
    setRouteHeaders(request, response)
    const { refusals } = this.#settings
    await answering(this.#settings, response, 'submit', async () => {
      if (!isJsonBody(request, response)) return
      const { entryId, json } = await this.#write(request, response).catch(async (error: unknown) => {
        if (isRefusal(error)) await refusals.turn(response, error)
        throw error
      })
      response.setHeader('Location', `${ENTRIES}/${entryId}${locationQuery(request)}`)
      if (json === undefined) {
        await refusals.turn(response)
        const text = `an equivalent entry already exists in the transparency log with UUID ${entryId}`
        return sendJson(response, 409, errorJson(409, text))
      }
      // Bare: clients take the tag for the member's name (log-v1.md §3).
      response.setHeader('ETag', entryId)
      sendJson(response, 201, json)
    })
  }

  /** A function of its own, so that what a request brought is not kept while its answer waits for its turn. There is no `json` of an entry that is in the log already. */
  async #write(request: Request, response: Response): Promise<{ entryId: string; json?: string }> {
    const { virtual, clock, validation, maxBodyBytes } = this.#settings
    const signal = goneSignal(response)
    const entry = await validation.run('v1Entry', await rawBody(request, maxBodyBytes), signal)
    const integratedTime = BigInt(Math.floor(clock.now().getTime() / 1000))
    const { attestation } = entry
    const extra = encodeV1Extra({ integratedTime, ...(attestation === undefined ? {} : { attestation }) })
    const { tree, appended } = await virtual.append({ body: entry.body, extra }, { signal })
    const { index, body, duplicate, proof } = appended
    const entryId = entryIdOf(tree.treeId, leafHash(body, sha256Of(this.#settings)))
    if (duplicate) return { entryId }
    const logIdHex = Buffer.from(tree.log.logId).toString('hex')
    const virtualIndex = (await virtual.offsetOf(tree)) + index
    const proven: ProvenEntry = { entryId, body, integratedTime, logIdHex, virtualIndex, index, proof }
    return { entryId, json: await signedEntryJson(proven, tree) }
  }

  /** By index over all trees. */
  @Get()
  async byIndex(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.#read(request, response, async () => {
      const { virtual } = this.#settings
      const place = await virtual.locate(new V1Query(request).required('logIndex', 0n))
      return place && readEntryJson(virtual, place.tree, place.index)
    })
  }

  /** By leaf hash, or by tree and leaf hash. */
  @Get(':id')
  async byId(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.#read(request, response, async () => {
      const id = parseEntryId(String(request.params['id']))
      if (id === undefined) throw new ShapeError(605, `entryUUID in path should match '${ENTRY_ID}'`)
      if (id.treeId !== undefined && !isTreeId(id.treeId)) {
        // The reference says 500 for tree 0.
        const text = `validation error: ${String(request.params['id']).slice(0, 16).toLowerCase()} is not a valid TreeID`
        throw new LogApiError('LOG_V1_REFUSED', text)
      }
      const [found] = await this.#find(id, 1)
      return found
    })
  }

  async #read(request: Request, response: Response, find: () => Promise<string | undefined>): Promise<void> {
    setRouteHeaders(request, response)
    if (negotiated(request, response, ['application/json']) === undefined) return
    await answering(this.#settings, response, 'read', async () => {
      const json = await find()
      if (json === undefined) sendNothing(response)
      else sendJson(response, 200, json)
    })
  }

  /** Several at once, by id, by index and by what they say. */
  @Post('retrieve')
  async retrieve(@Req() request: Request, @Res() response: Response): Promise<void> {
    setRouteHeaders(request, response)
    await answering(this.#settings, response, 'retrieve', async () => {
      if (!isJsonBody(request, response)) return
      const { virtual, validation, maxBodyBytes } = this.#settings
      const gone = goneSignal(response)
      const body = await rawBody(request, maxBodyBytes)
      const query = await validation.run('v1Retrieval', body, gone)
      const ids = query.entryIds.map(retrieveId)
      // After the ids: the reference looks at them first.
      const bodies = query.entries === 0 ? [] : await validation.run('v1RetrievalBodies', body, gone)
      const found: string[] = []
      // The order of the reference: full ids, bare ones, entries, indexes.
      for (const id of ids) if (id.treeId !== undefined) found.push(...(await this.#find(id, 1)))
      for (const id of ids) if (id.treeId === undefined) found.push(...(await this.#find(id)))
      for (const body of bodies) {
        found.push(...(await this.#find({ treeId: undefined, leafHash: leafHash(body, sha256Of(this.#settings)) })))
      }
      for (const index of query.indexes) {
        const place = await virtual.locate(index)
        const json = place && (await readEntryJson(virtual, place.tree, place.index))
        if (json !== undefined) found.push(json)
      }
      sendJson(response, 200, `[${found.join(',')}]`)
    })
  }

  /** At most `limit` hits, the active tree's first. */
  async #find({ treeId, leafHash: hash }: SentId, limit = Infinity): Promise<string[]> {
    const { virtual } = this.#settings
    const found: string[] = []
    for (const tree of virtual.newestFirst()) {
      if (treeId !== undefined && tree.treeId !== treeId) continue
      const json = await findEntryJson(virtual, tree, hash)
      if (json !== undefined) found.push(json)
      if (found.length === limit) break
    }
    return found
  }
}

function retrieveId(text: string): SentId {
  const id = parseEntryId(text)!
  if (id.treeId === undefined || isTreeId(id.treeId)) return id
  throw new LogApiError('LOG_V1_REFUSED', `invalid entryID ${text}`)
}

function locationQuery(request: Request): string {
  return request.url.includes('?') ? new V1Query(request).withoutKey() : ''
}

function sha256Of({ crypto }: V1Settings) {
  return (...parts: readonly Uint8Array[]): Uint8Array => crypto.hash('SHA2_256', ...parts)
}
