import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto, privateKeyToPkcs8 } from '@touchmark/crypto/node'
import { checkLog, openLog, type Log } from '@touchmark/ledger'
import { CompactRange, leafHash } from '@touchmark/merkle'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { verifyCheckpoint } from '@touchmark/tlog'

const WORKER = join(process.cwd(), 'test', 'fault', 'support', 'append-worker.mjs')

/** What a caller in a worker was told. */
export interface ToldAnswer {
  readonly index: bigint
  /** The entry's body. */
  readonly text: string
  readonly size: bigint
  readonly root: string
  readonly checkpoint: string
}

export interface WorkerOptions {
  readonly name: string
  readonly callers?: number
  readonly same?: string
  readonly dieAt?: string
}

export interface Worker {
  readonly child: ChildProcess
  /** Resolves when it appends; rejects when it ended before. */
  readonly ready: Promise<void>
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>
}

/** What a check of the whole found. */
export interface Verdict {
  readonly size: bigint
  readonly acknowledged: number
  readonly lost: readonly ToldAnswer[]
  readonly forks: readonly ToldAnswer[]
  /** Indexes that two different entries were given. */
  readonly twice: readonly bigint[]
}

/** One tree on a database of its own, the folder of its key and answers, and the processes that append to it. */
export class WorkerTree {
  readonly db: TestDatabase
  readonly origin = 'log.example.com'
  readonly #folder: string
  readonly #signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  readonly #running = new Set<ChildProcess>()
  #answerFiles = 0

  private constructor(db: TestDatabase, folder: string) {
    this.db = db
    this.#folder = folder
    writeFileSync(this.#keyFile, privateKeyToPkcs8(this.#signer), { mode: 0o600 })
  }

  static async create(): Promise<WorkerTree> {
    const [db, folder] = await Promise.all([testDatabase(), mkdtemp(join(tmpdir(), 'touchmark-workers-'))])
    return new WorkerTree(db, folder)
  }

  get #keyFile(): string {
    return join(this.#folder, 'key')
  }

  start(options: WorkerOptions): Worker {
    const { url } = this.db
    const answersFile = join(this.#folder, `answers-${++this.#answerFiles}`)
    const config = { callers: 4, ...options, url, origin: this.origin, keyFile: this.#keyFile, answersFile }
    const environment: NodeJS.ProcessEnv = { ...process.env }
    delete environment['NODE_OPTIONS']
    const child = spawn(process.execPath, [WORKER, JSON.stringify(config)], { env: environment })
    this.#running.add(child)
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-5000)))
    const ended = new Promise<Awaited<Worker['ended']>>((resolve) =>
      child.once('close', (code, signal) => {
        this.#running.delete(child)
        resolve({ code, signal, stderr })
      }),
    )
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      void ended.then(({ code, signal }) => reject(new Error(`ended with ${code ?? signal}: ${stderr}`)))
    })
    ready.catch(() => undefined)
    return { child, ready, ended }
  }

  /** The same tree, in this process. */
  open(): Promise<Log> {
    const { db, origin } = this
    return openLog({ db, kind: 'signature-v2', origin, signer: this.#signer, clock: systemClock })
  }

  /** Everything that callers were told. */
  answers(): ToldAnswer[] {
    return [...this.#told()]
  }

  /** The same one by one: the long form has more than fit in memory. A line that was not written to its end was told to nobody. */
  *#told(): Generator<ToldAnswer> {
    for (const name of readdirSync(this.#folder).filter((one) => one.startsWith('answers-'))) {
      const lines = readFileSync(join(this.#folder, name), 'utf8').split('\n').slice(0, -1)
      for (const line of lines) {
        const answer = JSON.parse(line) as Record<'index' | 'text' | 'size' | 'root' | 'checkpoint', string>
        yield { ...answer, index: BigInt(answer.index), size: BigInt(answer.size) }
      }
    }
  }

  /** Reads the whole log and holds every answer against it. Throws when log and entries do not fit. */
  async check(): Promise<Verdict> {
    const log = await this.open()
    try {
      const { size } = await checkLog(log, { proofs: 60 })
      const sizes = new Set<bigint>()
      for (const answer of this.#told()) sizes.add(answer.size)
      const { leaves, roots } = await readTree(log, size, sizes)
      const { origin, publicKey: key, logId } = log
      const notes = new Set<string>()
      const verdict = { acknowledged: 0, lost: [] as ToldAnswer[], forks: [] as ToldAnswer[] }
      for (const answer of this.#told()) {
        verdict.acknowledged++
        if (leaves[Number(answer.index)] !== hex(leafHash(new TextEncoder().encode(answer.text))))
          verdict.lost.push(answer)
        // Every root that was shown is the root of the entries that are there: so each two of them are consistent.
        if (roots.get(answer.size) !== answer.root || answer.size <= answer.index) verdict.forks.push(answer)
        if (notes.has(answer.checkpoint)) continue
        notes.add(answer.checkpoint)
        const checkpoint = verifyCheckpoint(answer.checkpoint, { origin, key, logId }, nodeCrypto)
        if (checkpoint.size !== answer.size || hex(checkpoint.root) !== answer.root) verdict.forks.push(answer)
      }
      // An index that somebody was told for one entry, and that another entry has.
      const twice = verdict.lost.filter(({ index }) => index < size).map(({ index }) => index)
      return { size, ...verdict, twice }
    } finally {
      await log.close()
    }
  }

  async remove(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL')
    await this.db.drop()
    if (existsSync(this.#folder)) await rm(this.#folder, { recursive: true, force: true })
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Leaf hashes by index, without a gap, and the roots at the sizes that are asked for. */
async function readTree(
  log: Log,
  size: bigint,
  wanted: ReadonlySet<bigint>,
): Promise<{ leaves: string[]; roots: Map<bigint, string> }> {
  const leaves: string[] = []
  const roots = new Map<bigint, string>()
  const range = CompactRange.empty()
  while (BigInt(leaves.length) < size) {
    const entries = await log.entries(BigInt(leaves.length), size)
    if (entries.length === 0) throw new Error(`entry ${leaves.length} of ${size} is missing`)
    for (const { index, body } of entries) {
      if (index !== BigInt(leaves.length)) throw new Error(`entry ${leaves.length} is missing; ${index} comes next`)
      const hash = leafHash(body)
      range.append(hash)
      leaves.push(hex(hash))
      if (wanted.has(range.size)) roots.set(range.size, hex(range.root()))
    }
  }
  if (new Set(leaves).size !== leaves.length) throw new Error('an entry is in the log twice')
  return { leaves, roots }
}
