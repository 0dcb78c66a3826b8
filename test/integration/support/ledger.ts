import { ManualClock } from '@touchmark/clock'
import { nodeCrypto, generateSigner } from '@touchmark/crypto/node'
import type { Signer } from '@touchmark/crypto'
import { openLog, type AppendedEntry, type Log, type OpenLogOptions } from '@touchmark/ledger'
import { leafHash, verifyInclusion } from '@touchmark/merkle'
import { verifyCheckpoint } from '@touchmark/tlog'
import type { Database } from '@touchmark/postgres'

export const START = '2026-12-01T00:00:00.000Z'

let logs = 0

/** A signer and an origin of one tree; open() it as often as processes are wanted. */
export class TestTree {
  readonly origin: string
  readonly signer: Signer
  readonly clock = new ManualClock(START)
  readonly #db: Database
  readonly #options: Partial<OpenLogOptions>

  constructor(db: Database, options: Partial<OpenLogOptions> = {}) {
    this.#db = db
    this.#options = options
    this.origin = options.origin ?? `log${++logs}.example.com`
    this.signer = options.signer ?? generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  }

  open(options: Partial<OpenLogOptions> = {}): Promise<Log> {
    const { origin, signer, clock } = this
    const db = this.#db
    return openLog({ db, kind: 'signature-v2', origin, signer, clock, ...this.#options, ...options })
  }
}

/** Takes a database its own defences, so that it can be damaged as nobody else could: checks are not to lean on them. */
export async function dropDefences(db: Database): Promise<void> {
  for (const table of ['logs', 'log_entries', 'log_tiles']) {
    const defences = await db.query<{ drop: string }>(
      `select format('alter table %I drop constraint %I', $1::text, conname) as drop from pg_constraint
         where conrelid = $1::regclass and contype = 'c'
       union all select format('drop trigger %I on %I', tgname, $1::text) from pg_trigger
         where tgrelid = $1::regclass and not tgisinternal`,
      [table],
    )
    for (const { drop } of defences) await db.query(drop)
  }
}

export function body(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function bodies(prefix: string, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => body(`${prefix} ${i}`))
}

/** Checks an answer as a client does: the proof under the checkpoint, the checkpoint under the key. */
export function checkAnswer(log: Log, entry: Uint8Array, { index, proof, body }: AppendedEntry): void {
  const { origin, publicKey: key, logId } = log
  const checkpoint = verifyCheckpoint(proof.checkpoint, { origin, key, logId }, nodeCrypto)
  if (checkpoint.size !== proof.size) throw new Error('the checkpoint is of another size than the proof')
  if (proof.hashes.length === 0) throw new Error('the proof is empty')
  if (Buffer.compare(entry, body) !== 0) throw new Error('another body was answered')
  verifyInclusion({ leafHash: leafHash(entry), index, size: proof.size, proof: proof.hashes, root: checkpoint.root })
}

/** Appends all at once and checks every answer. */
export async function appendAll(log: Log, entries: readonly Uint8Array[]): Promise<AppendedEntry[]> {
  const answers = await Promise.all(entries.map((entry) => log.append({ body: entry })))
  for (const [i, answer] of answers.entries()) checkAnswer(log, entries[i]!, answer)
  return answers
}

/** Bytes that begin like a MerkleTreeLeaf for an X.509 certificate, with this time in its SCT. */
export function certificateLeaf(text: string, sctTime: string): Uint8Array {
  const header = Buffer.alloc(12)
  header.writeBigUInt64BE(BigInt(new Date(sctTime).getTime()), 2)
  return Buffer.concat([header, body(text)])
}

/** A signer that can be held up: pause(), wait until it is asked(), resume(). */
export function slowSigner() {
  const real = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  let gate: { open: Promise<void>; resume: () => void } | undefined
  const askers: (() => void)[] = []
  const signer: Signer = {
    publicKey: real.publicKey,
    scheme: real.scheme,
    sign: async (message) => {
      for (const asked of askers.splice(0)) asked()
      await gate?.open
      return real.sign(message)
    },
  }
  return {
    signer,
    pause: () => {
      let resume!: () => void
      const open = new Promise<void>((resolve) => (resume = resolve))
      gate = { open, resume }
    },
    resume: () => {
      gate?.resume()
      gate = undefined
    },
    asked: () => new Promise<void>((resolve) => askers.push(resolve)),
  }
}
