import { Controller, Inject, Post, Req, Res, UseFilters } from '@nestjs/common'
import type { CanonicalEntry } from '@touchmark/entry'
import { isCodedError } from '@touchmark/errors'
import { LedgerError, type AppendedEntry, type Log } from '@touchmark/ledger'
import { rawBody } from '@touchmark/service'
import type { Request, Response } from 'express'
import { LOG_SETTINGS, type LogSettings } from '../../tokens.js'
import { goneSignal } from '../gone-signal.js'
import { entryAnswer } from './entry-answer.js'
import { readGrpcTimeout, withinDeadline } from './grpc-timeout.js'
import { LogErrorFilter } from './log-error.filter.js'
import { isRefusal } from './problems.js'

/** `POST /api/v2/log/entries` (log-v2.md §1–6). */
@Controller('api/v2/log')
@UseFilters(LogErrorFilter)
export class EntriesController {
  readonly #settings: LogSettings
  readonly #logIds = new WeakMap<Log, string>()

  constructor(@Inject(LOG_SETTINGS) settings: LogSettings) {
    this.#settings = settings
  }

  /**
   * Body, then shape, then validation, then the log: an entry takes a place in a batch only when it is known to be good. The answer leaves after the commit.
   * Content-Type and Accept are not looked at, as in the reference. What brings no new entry is answered at the pace of refusals.
   */
  @Post('entries')
  async create(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { refusals } = this.#settings
    const { answer, duplicateOf } = await this.#write(request, response).catch(async (error: unknown) => {
      if (isRefusal(error)) await refusals.turn(response, error)
      throw error
    })
    // The one wanted difference to the reference: a request that equals a logged entry is answered like the first (log-v2.md §6).
    if (duplicateOf !== undefined) {
      response.setHeader('X-Log-Index', duplicateOf.toString())
      await refusals.turn(response)
    }
    response.status(201).setHeader('Content-Type', 'application/json')
    response.setHeader('Content-Length', answer.length)
    response.end(answer)
  }

  /** A function of its own, so that what a request brought is not kept while its answer waits for its turn. */
  async #write(request: Request, response: Response): Promise<{ answer: Uint8Array; duplicateOf?: bigint }> {
    const { logs, maxBodyBytes } = this.#settings
    const log = logs.forHost(request.headers.host)
    const gone = goneSignal(response)
    const deadlineMs = readGrpcTimeout(request.headers['grpc-timeout'])
    const body = await rawBody(request, maxBodyBytes)
    const { entry, appended } = await withinDeadline(this.#append(body, log, gone), deadlineMs)
    const answer = entryAnswer(entry, appended, this.#logIdOf(log))
    return appended.duplicate ? { answer, duplicateOf: appended.index } : { answer }
  }

  async #append(
    body: Uint8Array,
    log: Log,
    gone: AbortSignal,
  ): Promise<{ entry: CanonicalEntry; appended: AppendedEntry }> {
    const { validation } = this.#settings
    if (log.state === 'frozen') return refuseAsFrozen(validation.run('entryShape', body, gone))
    const entry = await validation.run('entry', body, gone)
    return { entry, appended: await log.append({ body: entry.body }, { signal: gone }) }
  }

  #logIdOf(log: Log): string {
    const known = this.#logIds.get(log)
    if (known !== undefined) return known
    const text = Buffer.from(log.logId).toString('base64')
    this.#logIds.set(log, text)
    return text
  }
}

/** A frozen log still refuses what is no JSON first, and everything else, valid or not, as frozen. */
async function refuseAsFrozen(shape: Promise<undefined>): Promise<never> {
  await shape.catch((error: unknown) => {
    if (!isCodedError(error) || error.code !== 'ENTRY_KIND_MISSING') throw error
  })
  throw new LedgerError('LEDGER_FROZEN', 'the log is frozen')
}
