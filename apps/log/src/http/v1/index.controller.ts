import { Controller, Inject, Post, Req, Res } from '@nestjs/common'
import { parseV1IndexQuery, type V1IndexQuery } from '@touchmark/entry'
import { MAX_SEARCH_HITS, type SearchIndex } from '@touchmark/ledger'
import { rawBody } from '@touchmark/service'
import type { Request, Response } from 'express'
import { isJsonBody } from './accept.js'
import { errorJson, sendJson, setRouteHeaders } from './answers.js'
import { entryIdOf } from './entry-answer.js'
import { answering } from './route-problem.js'
import { V1_SETTINGS, type V1Settings } from './settings.js'
import { treeIdOfOrigin } from './v1-trees.js'

/** Ids in one answer; the reference gives all it has, whatever that costs. */
const MAX_IDS = 1000
/** Pages that one answer may take: an `and` of common values walks many rows for few hits. */
const MAX_PAGES = 32

/** `POST /api/v1/index/retrieve` (log-v1.md §9). */
@Controller('api/v1/index')
export class V1IndexController {
  readonly #settings: V1Settings

  constructor(@Inject(V1_SETTINGS) settings: V1Settings) {
    this.#settings = settings
  }

  @Post('retrieve')
  async retrieve(@Req() request: Request, @Res() response: Response): Promise<void> {
    setRouteHeaders(request, response)
    await answering(this.#settings, response, 'search', async () => {
      if (!isJsonBody(request, response)) return
      const { search, crypto, maxBodyBytes } = this.#settings
      const query = parseV1IndexQuery(await rawBody(request, maxBodyBytes), crypto)
      if (search === undefined) {
        return sendJson(response, 501, errorJson(501, 'Search Index API not enabled in this Rekor instance'))
      }
      sendJson(response, 200, JSON.stringify(await idsOf(search, query)))
    })
  }
}

async function idsOf(search: Pick<SearchIndex, 'find'>, { keys, operator }: V1IndexQuery): Promise<string[]> {
  if (keys.length === 0) return []
  const ids = new Set<string>()
  let after: string | undefined
  for (let page = 0; page < MAX_PAGES && ids.size < MAX_IDS; page++) {
    const { hits, next } = await search.find({
      logId: undefined,
      kinds: ['signature-v1'],
      all: keys,
      operator,
      limit: MAX_SEARCH_HITS,
      ...(after === undefined ? {} : { after }),
    })
    for (const { origin, leafHash } of hits) {
      const treeId = treeIdOfOrigin(origin)
      if (treeId !== undefined) ids.add(entryIdOf(treeId, leafHash))
    }
    if (next === undefined) break
    after = next
  }
  return [...ids].slice(0, MAX_IDS)
}
