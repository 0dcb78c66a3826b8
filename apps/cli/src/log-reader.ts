import { parsePublicKeyDer } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { equalBytes, hexEncode, utf8Decode } from '@touchmark/encoding'
import {
  assembleProof,
  leafHash,
  planConsistency,
  planInclusion,
  verifyInclusion,
  type ProofPlan,
} from '@touchmark/merkle'
import { excerpt, send, serviceUrl } from '@touchmark/sign'
import {
  decodeEntryBundle,
  nodeInTile,
  placeOfNode,
  TILE_WIDTH,
  tilePath,
  tileWidth,
  verifyCheckpoint,
  type Checkpoint,
} from '@touchmark/tlog'
import type { LogInstance, TrustedRoot } from '@touchmark/trust'
import type { CliContext } from './context.js'
import { CliError } from './errors.js'
import { KnownHead } from './log-memory/known-head.js'

/** An entry of the log, and the proof that it is in the tree of the log's newest checkpoint; both checked. */
export interface ProvenEntry {
  readonly index: bigint
  readonly body: Uint8Array
  readonly leafHash: Uint8Array
  readonly checkpoint: Checkpoint
  readonly checkpointNote: string
  readonly proof: readonly Uint8Array[]
}

/**
 * Reads a v2 log through its static files alone (C2SP tlog-tiles): the checkpoint is verified with the trusted key and goes on from the one seen
 * before, and nothing of what the server sends is believed that does not lead to its root.
 */
export class LogReader {
  readonly #context: CliContext
  readonly #log: LogInstance
  readonly #known: KnownHead
  readonly #tiles = new Map<string, Promise<Uint8Array>>()

  /** Reads the log with this id, or the newest of the root. Throws CLI_TRUST_UNKNOWN when the root has none. */
  constructor(context: CliContext, root: TrustedRoot, logId?: Uint8Array) {
    const log =
      logId === undefined ? root.tlogs.at(-1) : root.tlogs.find((candidate) => equalBytes(candidate.logId, logId))
    if (log === undefined) {
      throw logId === undefined
        ? new CliError('CLI_TRUST_UNKNOWN', 'the trusted root names no signature log')
        : new CliError('CLI_TRUST_UNKNOWN', 'the entry is in a log that the trusted root does not name', {
            found: `log ${hexEncode(logId)}`,
            hint: 'The bundle may come from another instance: name it with --instance.',
          })
    }
    this.#context = context
    this.#log = log
    this.#known = new KnownHead(context, log.logId, (note) => this.#verify(note))
  }

  get url(): string {
    return this.#log.baseUrl
  }

  /**
   * The newest checkpoint, verified, and consistent with the newest one that this user has seen. Throws TLOG_*, CLI_LOG_WENT_BACK, CLI_LOG_FORKED,
   * CLI_LOG_MEMORY_UNREADABLE.
   */
  checkpoint(): Promise<{ checkpoint: Checkpoint; note: string }> {
    const ask = async (): Promise<{ checkpoint: Checkpoint; note: string }> => {
      const note = utf8Decode(await this.#get('checkpoint'))
      return { checkpoint: this.#verify(note), note }
    }
    return this.#known.follow(ask, (first, second) => this.#proof(planConsistency(first, second), second))
  }

  #verify(note: string): Checkpoint {
    const key = parsePublicKeyDer(this.#log.publicKey.rawBytes)
    const origin = new URL(this.#log.baseUrl).hostname
    return verifyCheckpoint(note, { origin, key, logId: this.#log.logId }, nodeCrypto)
  }

  /** Reads and proves the entry at an index. Throws CLI_ENTRY_NOT_FOUND, and MERKLE_PROOF_INVALID when the log lies. */
  async entry(index: bigint): Promise<ProvenEntry> {
    const { checkpoint, note } = await this.checkpoint()
    if (index < 0n || index >= checkpoint.size) {
      throw new CliError('CLI_ENTRY_NOT_FOUND', `the log has no entry ${index}`, {
        expected: `an index from 0 to ${checkpoint.size - 1n}`,
      })
    }
    const bundleIndex = index / BigInt(TILE_WIDTH)
    const bundle = await this.#tile('entries', bundleIndex, tileWidth(0, bundleIndex, checkpoint.size))
    const body = decodeEntryBundle(bundle)[Number(index % BigInt(TILE_WIDTH))]
    if (body === undefined) throw new CliError('CLI_INSTANCE_ANSWER', 'the entry bundle is shorter than the tree says')
    const hash = leafHash(body)
    const proof = await this.#proof(planInclusion(index, checkpoint.size), checkpoint.size)
    verifyInclusion({ leafHash: hash, index, size: checkpoint.size, proof, root: checkpoint.root })
    return { index, body, leafHash: hash, checkpoint, checkpointNote: note, proof }
  }

  async #proof(plan: ProofPlan, size: bigint): Promise<Uint8Array[]> {
    const loaded = new Map<string, Uint8Array>()
    for (const node of plan.flat()) {
      const place = placeOfNode(node)
      const name = `${place.level}/${place.index}`
      if (!loaded.has(name))
        loaded.set(name, await this.#tile(place.level, place.index, tileWidth(place.level, place.index, size)))
    }
    return assembleProof(plan, {
      node(level, at) {
        const place = placeOfNode({ level, index: at })
        const tile = loaded.get(`${place.level}/${place.index}`)
        return tile === undefined ? undefined : nodeInTile(tile, place)
      },
    })
  }

  #tile(level: number | 'entries', index: bigint, width: number): Promise<Uint8Array> {
    const path = tilePath(level, index, width)
    const known = this.#tiles.get(path)
    if (known !== undefined) return known
    const loading = this.#get(path)
    this.#tiles.set(path, loading)
    return loading
  }

  async #get(path: string): Promise<Uint8Array> {
    const url = serviceUrl(this.#log.baseUrl, `/api/v2/${path}`)
    const answer = await send('transparency log', url, {}, this.#context.http)
    if (answer.status === 200) return answer.body
    throw new CliError('CLI_INSTANCE_ANSWER', `the log answered ${answer.status} to ${path}`, {
      found: excerpt(answer.body),
    })
  }
}
