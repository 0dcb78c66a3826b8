import type { InclusionProof, TransparencyLogEntry } from '@touchmark/bundle'
import type { Signer } from '@touchmark/crypto'
import { base64Encode, canonicalJson, hexEncode, utf8Encode } from '@touchmark/encoding'
import { leafHash, nodeHash } from '@touchmark/merkle'
import { isV1Origin, logIdOf, signCheckpoint } from '@touchmark/tlog'
import type { LogInstance } from '@touchmark/trust'
import { logInstance } from './instance.js'

/** A transparency log in memory: all leaves, hashed anew for each proof. */
export class TestLog {
  readonly signer: Signer
  readonly origin: string
  readonly logId: Uint8Array
  readonly leaves: Uint8Array[] = []
  /** Entries of earlier shards, which the virtual index of API v1 counts. */
  readonly earlier = 1000n

  constructor(signer: Signer, origin: string) {
    this.signer = signer
    this.origin = origin
    this.logId = logIdOf(signer.publicKey, origin)
    // No caller's entry has an empty proof.
    this.leaves.push(utf8Encode('{"genesis":true}'))
  }

  instance(baseUrl: string): LogInstance {
    return logInstance(this.signer.publicKey, baseUrl, this.logId)
  }

  /** Appends the body and as many others after it, and proves it in the tree that results. */
  async append(body: Uint8Array, kind: string, version: string, options: AppendOptions): Promise<TransparencyLogEntry> {
    const index = this.leaves.length
    this.leaves.push(body)
    for (let i = 0; i < (options.followedBy ?? 0); i++) this.leaves.push(utf8Encode(`{"other":${index + i}}`))
    const isV1 = isV1Origin(this.origin)
    const logIndex = BigInt(index) + (isV1 ? this.earlier : 0n)
    const integratedTime = options.promisedAt && BigInt(Math.floor(options.promisedAt.getTime() / 1000))
    return {
      logIndex,
      logId: this.logId,
      kindVersion: { kind, version },
      ...(integratedTime
        ? { integratedTime, inclusionPromise: await this.promise(body, integratedTime, logIndex) }
        : {}),
      ...(options.proof === false ? {} : { inclusionProof: await this.prove(index) }),
      canonicalizedBody: body,
    }
  }

  /** A signed entry timestamp. */
  promise(body: Uint8Array, integratedTime: bigint, logIndex: bigint): Promise<Uint8Array> {
    const signed = {
      body: base64Encode(body),
      integratedTime: Number(integratedTime),
      logID: hexEncode(this.logId),
      logIndex: Number(logIndex),
    }
    return this.signer.sign(utf8Encode(canonicalJson(signed)))
  }

  async prove(index: number, signer = this.signer, origin = this.origin): Promise<InclusionProof> {
    const hashes = this.leaves.map((leaf) => leafHash(leaf))
    const rootHash = rootOf(hashes)
    const size = BigInt(hashes.length)
    const checkpoint = { origin, size, root: rootHash, extensions: [] }
    return {
      logIndex: BigInt(index),
      rootHash,
      treeSize: size,
      hashes: pathOf(hashes, index),
      checkpoint: await signCheckpoint(checkpoint, logIdOf(signer.publicKey, origin), signer),
    }
  }
}

export interface AppendOptions {
  readonly followedBy?: number
  /** With a promise of this time, as API v1 gives. */
  readonly promisedAt?: Date
  /** Default true. */
  readonly proof?: boolean
}

/** RFC 6962 §2.1, by its definition. */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0]!
  const split = splitOf(hashes.length)
  return nodeHash(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)))
}

/** RFC 6962 §2.1.1, by its definition. */
function pathOf(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (hashes.length === 1) return []
  const split = splitOf(hashes.length)
  return index < split
    ? [...pathOf(hashes.slice(0, split), index), rootOf(hashes.slice(split))]
    : [...pathOf(hashes.slice(split), index - split), rootOf(hashes.slice(0, split))]
}

/** The largest power of two below the size. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}
