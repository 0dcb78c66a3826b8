import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import type { Clock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import type { Signer } from '@touchmark/crypto'
import { openLog, type Log } from '@touchmark/ledger'
import { leafHash, rootFromInclusionProof } from '@touchmark/merkle'
import type { Database } from '@touchmark/postgres'
import { verifyCheckpoint } from '@touchmark/tlog'
import { treeIdOf, v1Genesis, v1Origin, type V1Tree } from '@touchmark/app-log'
import type { Answer } from '../../../apps/log/src/testing/serve.js'

export interface Vector {
  name: string
  note?: string
  request: { method: string; path: string; headers: Record<string, string>; body?: string }
  response: { status: number; headers: Record<string, string>; body: string }
  decoded?: { entryId: string; body: string; attestation?: string }[]
}

/** Recorded requests and answers of the reference (test/vectors/rekor-v1). */
export const readVectors = (file: string): Vector[] =>
  JSON.parse(readFileSync(join(process.cwd(), 'test/vectors/rekor-v1', `${file}.json`), 'utf8')) as Vector[]

export interface TestV1Tree extends V1Tree {
  readonly signer: Signer
}

/** A tree of API v1 with a key of its own. */
export async function openV1Tree(db: Database, clock: Clock, hostName = 'log.example.com'): Promise<TestV1Tree> {
  const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  const treeId = treeIdOf(nodeCrypto.hash('SHA2_256', signer.publicKey.spki))
  const genesis = await v1Genesis(signer, clock.now(), nodeCrypto)
  const origin = v1Origin(hostName, treeId)
  const log: Log = await openLog({ db, kind: 'signature-v1', origin, signer, clock, genesis })
  return { treeId, log, signer, signEntry: (message) => signer.signUnchecked(message) }
}

export interface EntryObject {
  attestation?: { data: string }
  body: string
  integratedTime: number
  logID: string
  logIndex: number
  verification: {
    inclusionProof: { checkpoint: string; hashes: string[]; logIndex: number; rootHash: string; treeSize: number }
    signedEntryTimestamp: string
  }
}

const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const unbase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

/** All that log-v1.md §3 to §5 promise of an entry: leaf hash, signed timestamp, proof, checkpoint. */
export function checkEntry(entryId: string, entry: EntryObject, trees: readonly TestV1Tree[]): void {
  expect(Object.keys(entry).filter((name) => name !== 'attestation')).toEqual([
    'body',
    'integratedTime',
    'logID',
    'logIndex',
    'verification',
  ])
  const tree = trees.find(({ treeId }) => entryId.startsWith(treeId.toString(16).padStart(16, '0')))!
  const body = unbase64(entry.body)
  expect(entryId.slice(16)).toBe(Buffer.from(leafHash(body)).toString('hex'))
  expect(entry.logID).toBe(Buffer.from(tree.log.logId).toString('hex'))
  const { inclusionProof: proof, signedEntryTimestamp } = entry.verification
  const signed = JSON.stringify({
    body: entry.body,
    integratedTime: entry.integratedTime,
    logID: entry.logID,
    logIndex: entry.logIndex,
  })
  const { publicKey, scheme } = tree.signer
  expect(nodeCrypto.verify(publicKey, scheme, Buffer.from(signed), unbase64(signedEntryTimestamp))).toBe(true)
  const checkpoint = verifyCheckpoint(
    proof.checkpoint,
    { origin: tree.log.origin, key: publicKey, logId: tree.log.logId },
    nodeCrypto,
  )
  // A second signature line breaks rekor-cli and sigstore-go.
  expect(proof.checkpoint.match(/^\u2014 /gm)).toHaveLength(1)
  expect([Number(checkpoint.size), Buffer.from(checkpoint.root).toString('hex')]).toEqual([
    proof.treeSize,
    proof.rootHash,
  ])
  const root = rootFromInclusionProof({
    leafHash: leafHash(body),
    index: BigInt(proof.logIndex),
    size: checkpoint.size,
    proof: proof.hashes.map(unhex),
  })
  expect(Buffer.from(root).toString('hex')).toBe(proof.rootHash)
}

/** The one entry of an answer, checked. */
export function entryOf(answer: Answer, trees: readonly TestV1Tree[]): { entryId: string; entry: EntryObject } {
  expect(answer.headers['content-type']).toBe('application/json')
  expect(answer.text.endsWith('}\n')).toBe(true)
  const map = answer.json<Record<string, EntryObject>>()
  const [entryId] = Object.keys(map)
  expect(Object.keys(map)).toHaveLength(1)
  checkEntry(entryId!, map[entryId!]!, trees)
  return { entryId: entryId!, entry: map[entryId!]! }
}
