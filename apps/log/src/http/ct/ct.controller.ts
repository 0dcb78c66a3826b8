import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common'
import type { LeafData, Log } from '@touchmark/ledger'
import type { Request, Response } from 'express'
import { LogApiError } from '../../errors.js'
import { CERTIFICATE_LOG_SETTINGS, type CertificateLogSettings } from '../../tokens.js'
import { TilesRoutes } from '../tiles/tiles-routes.js'
import { CtErrorFilter } from './ct-error.filter.js'
import { CtQuery } from './query.js'

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
const list = (hashes: readonly Uint8Array[]): string => JSON.stringify(hashes.map(base64))
const leafJson = ({ body, extra }: LeafData): string =>
  `"leaf_input":"${base64(body)}","extra_data":"${base64(extra ?? new Uint8Array(0))}"`

/** What is fixed for a tree size never changes; what names the newest tree does. */
const FIXED = 'max-age=86400'
const NEWEST = 'no-cache'

/**
 * The certificate log, read only: the client messages of RFC 6962 §4 under /ct/v1, and the same tree as C2SP tlog-tiles under /ct (checkpoint, hash tiles,
 * entry bundles). Numbers in JSON are written as digits, whatever their size.
 *
 * An entry bundle (`/ct/tile/entries/…`) holds, for each entry, a big-endian u16 length and the MerkleTreeLeaf of RFC 6962 §3.4: the bytes whose leaf hash is
 * in the tree, the same as `leaf_input` of get-entries. Chains (`extra_data`) are not in bundles; get-entries has them. This is not the Static CT API,
 * whose `tile/data` has another encoding.
 */
@Controller('ct')
@UseFilters(CtErrorFilter)
export class CtController extends TilesRoutes {
  readonly #settings: CertificateLogSettings

  constructor(@Inject(CERTIFICATE_LOG_SETTINGS) settings: CertificateLogSettings) {
    super()
    this.#settings = settings
  }

  protected override logOf(): Log {
    return this.#settings.log
  }

  /** RFC 6962 §4.3. */
  @Get('v1/get-sth')
  async treeHead(@Res() response: Response): Promise<void> {
    const { size, root, treeHead } = await this.#settings.log.checkpoint()
    if (treeHead === undefined) throw new Error('a certificate log has no tree head')
    const { timestamp, signature } = treeHead
    send(
      response,
      NEWEST,
      `{"tree_size":${size},"timestamp":${timestamp},"sha256_root_hash":"${base64(root)}","tree_head_signature":"${base64(signature)}"}`,
    )
  }

  /** RFC 6962 §4.4. From the empty tree, and from a tree to itself, nothing has to be proven. */
  @Get('v1/get-sth-consistency')
  async consistency(@Req() request: Request, @Res() response: Response): Promise<void> {
    const query = new CtQuery(request)
    const first = query.number('first')
    const second = query.number('second')
    const proof = await this.#consistency(first, second)
    send(response, FIXED, `{"consistency":${list(proof)}}`)
  }

  async #consistency(first: bigint, second: bigint): Promise<readonly Uint8Array[]> {
    const { log } = this.#settings
    const { size } = await log.checkpoint()
    if (first > second) throw new LogApiError('LOG_PARAMETER_INVALID', 'parameter "first" is larger than "second"')
    if (second > size) throw new LogApiError('LOG_PARAMETER_INVALID', 'parameter "second" is larger than the tree')
    return first === 0n || first === second ? [] : log.consistencyProof(first, second)
  }

  /** RFC 6962 §4.5. */
  @Get('v1/get-proof-by-hash')
  async proofByHash(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { log } = this.#settings
    const query = new CtQuery(request)
    const hash = query.hash('hash')
    const size = await this.#size(query)
    const index = await log.indexOf(hash)
    if (index === undefined || index >= size) throw new LogApiError('LOG_ENTRY_NOT_FOUND', 'no entry has this hash')
    const path = await log.inclusionProof(index, size)
    send(response, FIXED, `{"leaf_index":${index},"audit_path":${list(path)}}`)
  }

  /** RFC 6962 §4.6: `end` is the last entry wanted. Fewer may come: one answer is bounded, and ends with the tree. */
  @Get('v1/get-entries')
  async entries(@Req() request: Request, @Res() response: Response): Promise<void> {
    const query = new CtQuery(request)
    const start = query.number('start')
    const end = query.number('end')
    if (start > end) throw new LogApiError('LOG_PARAMETER_INVALID', 'parameter "start" is larger than "end"')
    const entries = await this.#settings.log.entries(start, end + 1n)
    if (entries.length === 0) throw new LogApiError('LOG_PARAMETER_INVALID', 'parameter "start" is beyond the tree')
    const complete = BigInt(entries.length) === end - start + 1n
    send(
      response,
      complete ? FIXED : NEWEST,
      `{"entries":[${entries.map((entry) => `{${leafJson(entry)}}`).join(',')}]}`,
    )
  }

  /** RFC 6962 §4.7. */
  @Get('v1/get-roots')
  roots(@Res() response: Response): void {
    send(response, FIXED, `{"certificates":${list(this.#settings.roots)}}`)
  }

  /** RFC 6962 §4.8. */
  @Get('v1/get-entry-and-proof')
  async entryAndProof(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { log } = this.#settings
    const query = new CtQuery(request)
    const index = query.number('leaf_index')
    const size = await this.#size(query)
    if (index >= size) throw new LogApiError('LOG_ENTRY_NOT_FOUND', 'the tree is not as large')
    const [entry] = await log.entries(index, index + 1n)
    if (entry === undefined) throw new LogApiError('LOG_ENTRY_NOT_FOUND', 'the tree is not as large')
    const path = await log.inclusionProof(index, size)
    send(response, FIXED, `{${leafJson(entry)},"audit_path":${list(path)}}`)
  }

  async #size(query: CtQuery): Promise<bigint> {
    const size = query.number('tree_size')
    const { size: newest } = await this.#settings.log.checkpoint()
    if (size === 0n || size > newest) {
      throw new LogApiError('LOG_PARAMETER_INVALID', `parameter "tree_size" must be from 1 to ${newest}`)
    }
    return size
  }
}

function send(response: Response, cacheControl: string, json: string): void {
  const body = Buffer.from(json)
  response.status(200).setHeader('Content-Type', 'application/json')
  response.setHeader('Cache-Control', cacheControl)
  response.setHeader('Content-Length', body.length)
  response.end(body)
}
